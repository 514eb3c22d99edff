using Herd.Contracts.Conversations;

namespace Herd.Gateway.OpenAi;

/// <summary>Makes the objects of one completion; id, time, model and fingerprint are the same in all of them.</summary>
/// <param name="id">The completion's id.</param>
/// <param name="created">When it was made, in seconds since 1970.</param>
/// <param name="model">The model.</param>
/// <param name="hasLogProbs">Whether log-probabilities were asked for.</param>
internal sealed class CompletionShape(string id, long created, string model, bool hasLogProbs)
{
    private const string Fingerprint = "herd-1";

    /// <param name="answers">By their index: the text, its tokens' chances, and the event that ended it.</param>
    public ChatCompletion Whole(IReadOnlyList<(string Text, IReadOnlyList<TokenChance> Chances, TurnEvent Last)> answers) => Make(
        "chat.completion",
        [
            .. answers.Select((answer, i) => new ChatChoice(
                i,
                new ChatAnswer("assistant", answer.Text),
                null,
                ChatLogProbs.Of(answer.Chances, hasLogProbs),
                FinishReason(answer.Last.Completed!))),
        ],
        UsageOf(answers.Select(answer => answer.Last.Completed!))) with { Herd = NoteOf(answers.Select(answer => answer.Last)) };

    public ChatCompletion First(int index) => Chunk(index, new ChatText("assistant", ""), null, null);

    public ChatCompletion Chunk(int index, AnswerDelta delta) =>
        Chunk(index, new ChatText(null, delta.Text), ChatLogProbs.Of(delta.Chances ?? [], hasLogProbs), null);

    public ChatCompletion Last(int index, TurnEvent last) =>
        Chunk(index, new ChatText(null, null), null, FinishReason(last.Completed!)) with { Herd = NoteOf([last]) };

    public ChatCompletion Usage(IEnumerable<Turn> turns) => Make("chat.completion.chunk", [], UsageOf(turns));

    private ChatCompletion Chunk(int index, ChatText delta, ChatLogProbs? logProbs, string? finish) =>
        Make("chat.completion.chunk", [new ChatChoice(index, null, delta, logProbs, finish)], null);

    private ChatCompletion Make(string kind, IReadOnlyList<ChatChoice> choices, ChatUsage? usage) =>
        new(id, kind, created, model, Fingerprint, choices, usage);

    private static HerdNote? NoteOf(IEnumerable<TurnEvent> last) => last.Any(answer => answer.IsUnsaved) ? new HerdNote(Stored: false) : null;

    private static string FinishReason(Turn turn) => turn.Finish == Finish.Length ? "length" : "stop";

    /// <summary>The prompt counts once, whatever the number of answers.</summary>
    private static ChatUsage UsageOf(IEnumerable<Turn> turns)
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
