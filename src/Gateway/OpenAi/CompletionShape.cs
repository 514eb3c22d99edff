using Herd.Contracts.Conversations;

namespace Herd.Gateway.OpenAi;

/// <summary>Makes the objects of one completion; id, time, model and fingerprint are the same in all of them.</summary>
internal sealed class CompletionShape(string id, long created, string model)
{
    private const string Fingerprint = "herd-1";

    public ChatCompletion Whole(string text, TurnEvent last) => Make(
        "chat.completion",
        [new ChatChoice(0, new ChatText("assistant", text), null, FinishReason(last.Completed!))],
        UsageOf(last.Completed!)) with { Herd = NoteOf(last) };

    public ChatCompletion Chunk(string? role, string content) =>
        Make("chat.completion.chunk", [new ChatChoice(0, null, new ChatText(role, content), null)], null);

    public ChatCompletion Last(TurnEvent last) => Make(
        "chat.completion.chunk",
        [new ChatChoice(0, null, new ChatText(null, null), FinishReason(last.Completed!))],
        null) with { Herd = NoteOf(last) };

    public ChatCompletion Usage(Turn turn) => Make("chat.completion.chunk", [], UsageOf(turn));

    private ChatCompletion Make(string kind, IReadOnlyList<ChatChoice> choices, ChatUsage? usage) =>
        new(id, kind, created, model, Fingerprint, choices, usage);

    private static HerdNote? NoteOf(TurnEvent last) => last.IsUnsaved ? new HerdNote(Stored: false) : null;

    private static string FinishReason(Turn turn) => turn.Finish == Finish.Length ? "length" : "stop";

    private static ChatUsage UsageOf(Turn turn)
    {
        var usage = turn.Usage!;
        return new ChatUsage(
            usage.PromptTokens,
            usage.CompletionTokens,
            usage.PromptTokens + usage.CompletionTokens,
            new PromptTokensDetails(usage.CachedTokens));
    }
}
