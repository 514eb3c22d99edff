using System.Text.Json;
using Herd.Contracts.Conversations;
using Herd.Gateway.Answers;
using Herd.Gateway.Conversations;

namespace Herd.Gateway.Anthropic;

/// <summary>Makes Anthropic's objects from answers.</summary>
internal static class AnthropicShape
{
    public static MessageReply Reply(
        TurnRequest turn, IReadOnlyList<AnswerPart> parts, Turn? answered, bool hasCalled) => new(
        "msg_" + ConversationClient.WithoutPrefix(turn.TurnId),
        turn.Model!,
        [.. parts.Select(ToBlock)],
        answered is null ? null : StopReason(answered, hasCalled),
        answered is null ? null : StopSequence(answered),
        Usage(answered));

    public static string StopReason(Turn turn, bool hasCalled) => turn switch
    {
        { Finish: Finish.Length } => "max_tokens",
        _ when hasCalled => "tool_use",
        { Answer.TokensFit: false, Settings.Stops.Count: > 0 } => "stop_sequence",
        _ => "end_turn",
    };

    /// <summary>
    /// The text that ended the answer. Null if the request has several: the turn does not say which one it was.
    /// </summary>
    public static string? StopSequence(Turn turn) =>
        turn is { Finish: Finish.Stop, Answer.TokensFit: false, Settings.Stops: [var only] } ? only : null;

    public static MessageUsage Usage(Turn? turn) => turn?.Usage is { } usage
        ? new MessageUsage(usage.PromptTokens - usage.CachedTokens, usage.CachedTokens, usage.CompletionTokens)
        : new MessageUsage(0, 0, 0);

    private static Block ToBlock(AnswerPart part) => part switch
    {
        { Call: { } call } => new Block("tool_use")
        {
            Id = call.Id, Name = call.Name, Input = JsonDocument.Parse(call.Arguments).RootElement,
        },
        { Thought: { } thought } => new Block("thinking") { Thinking = thought, Signature = "" },
        _ => new Block("text") { Text = part.Text },
    };
}
