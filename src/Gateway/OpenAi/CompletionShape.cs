using Herd.Contracts.Conversations;

namespace Herd.Gateway.OpenAi;

/// <summary>Makes the objects of one completion; id, time, model and fingerprint are the same in all of them.</summary>
internal sealed class CompletionShape(string id, long created, string model)
{
    private const string Fingerprint = "herd-1";

    public ChatCompletion Whole(string text, Turn turn) => Make(
        "chat.completion",
        [new ChatChoice(0, new ChatText("assistant", text), null, FinishReason(turn))],
        UsageOf(turn));

    public ChatCompletion Chunk(string? role, string content) =>
        Make("chat.completion.chunk", [new ChatChoice(0, null, new ChatText(role, content), null)], null);

    public ChatCompletion Last(Turn turn) =>
        Make("chat.completion.chunk", [new ChatChoice(0, null, new ChatText(null, null), FinishReason(turn))], null);

    public ChatCompletion Usage(Turn turn) => Make("chat.completion.chunk", [], UsageOf(turn));

    private ChatCompletion Make(string kind, IReadOnlyList<ChatChoice> choices, ChatUsage? usage) =>
        new(id, kind, created, model, Fingerprint, choices, usage);

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
