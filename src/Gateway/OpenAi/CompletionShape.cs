using Herd.Contracts.Conversations;
using Herd.Gateway.Answers;

namespace Herd.Gateway.OpenAi;

/// <summary>Makes the objects of one completion. All have the same id, time, model and fingerprint.</summary>
/// <param name="id">The completion's id.</param>
/// <param name="created">The time of its creation, in seconds since 1970.</param>
/// <param name="model">The model.</param>
/// <param name="hasLogProbs">True if the request asks for log probabilities.</param>
internal sealed class CompletionShape(string id, long created, string model, bool hasLogProbs)
{
    private const string Fingerprint = "herd-1";

    /// <param name="answers">
    /// For each choice: the parts, the log probabilities of the tokens, and the last event.
    /// </param>
    public ChatCompletion Whole(
        IReadOnlyList<(
            IReadOnlyList<AnswerPart> Parts, IReadOnlyList<TokenLogProbs> LogProbs, TurnEvent Last)> answers) => Make(
        "chat.completion",
        [
            .. answers.Select((answer, i) => new ChatChoice(
                i,
                ChatAnswer.From(answer.Parts),
                null,
                ChatLogProbs.From(answer.LogProbs, hasLogProbs),
                FinishReason(answer.Last.Completed!, answer.Parts.Any(part => part.Call is not null)))),
        ],
        UsageOf(answers.Select(answer => answer.Last.Completed!))) with { Herd = ToHerdFields(
            answers.Select(answer => answer.Last)) };

    public ChatCompletion First(int index) => Chunk(index, new ChatText("assistant", ""), null, null);

    /// <param name="index">The choice.</param>
    /// <param name="part">The next part of the answer.</param>
    /// <param name="call">The number of the call, from 0, if the part is one.</param>
    /// <param name="logProbs">The log probabilities of the part's tokens.</param>
    public ChatCompletion Chunk(int index, AnswerPart part, int call, IReadOnlyList<TokenLogProbs> logProbs) => Chunk(
        index,
        new ChatText(Content: part.Text)
        {
            ReasoningContent = part.Thought,
            ToolCalls = part.Call is { } called ? [ChatToolCall.From(called, call)] : null,
        },
        ChatLogProbs.From(logProbs, hasLogProbs),
        null);

    public ChatCompletion Last(int index, TurnEvent last, bool hasCalled) =>
        Chunk(
            index, new ChatText(), null, FinishReason(last.Completed!, hasCalled)) with { Herd = ToHerdFields([last]) };

    public ChatCompletion Usage(IEnumerable<Turn> turns) => Make("chat.completion.chunk", [], UsageOf(turns));

    private ChatCompletion Chunk(int index, ChatText delta, ChatLogProbs? logProbs, string? finish) =>
        Make("chat.completion.chunk", [new ChatChoice(index, null, delta, logProbs, finish)], null);

    private ChatCompletion Make(string kind, IReadOnlyList<ChatChoice> choices, ChatUsage? usage) =>
        new(id, kind, created, model, Fingerprint, choices, usage);

    private static HerdFields? ToHerdFields(IEnumerable<TurnEvent> last) =>
        last.Any(answer => answer.IsUnsaved) ? new HerdFields(Stored: false) : null;

    private static string FinishReason(Turn turn, bool hasCalled) =>
        turn.Finish == Finish.Length ? "length" : hasCalled ? "tool_calls" : "stop";

    /// <summary>The usage of all answers. The prompt counts once.</summary>
    public static ChatUsage UsageOf(IEnumerable<Turn> turns)
    {
        var usages = turns.Select(turn => turn.Usage!).ToList();
        var completion = usages.Sum(usage => usage.CompletionTokens);
        return new ChatUsage(
            usages[0].PromptTokens,
            completion,
            usages[0].PromptTokens + completion,
            new PromptTokensDetails(usages[0].CachedTokens));
    }
}
