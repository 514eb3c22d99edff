using System.Text.Json;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;

namespace Herd.Gateway.OpenAi.Responses;

/// <summary>Makes response objects of turns.</summary>
internal static class ResponseShape
{
    /// <param name="id">The response's id.</param>
    /// <param name="turn">The turn, at whatever state.</param>
    /// <param name="previous">The turn before it; null when it is the first.</param>
    public static Response Of(ResponseId id, Turn turn, Turn? previous) => new()
    {
        Id = id.ToString(),
        CreatedAt = turn.Created.ToUnixTimeSeconds(),
        Status = Status(turn),
        IncompleteDetails = turn.Finish == Finish.Length ? new IncompleteDetails("max_output_tokens") : null,
        MaxOutputTokens = turn.Settings.MaxTokens,
        Model = turn.Model ?? "",
        Output = turn.State is TurnState.Completed or TurnState.Cancelled ? [Message(id, turn)] : [],
        PreviousResponseId = previous is { } before && ResponseId.IsTurn(before.Id) ? (id with { Turn = before.Id }).ToString() : null,
        Temperature = turn.Settings.Temperature,
        TopP = turn.Settings.TopP,
        Text = new TextOptions(Format(turn.Settings.Form)),
        Truncation = turn.Settings.Overflow == ContextOverflow.Shift ? "auto" : "disabled",
        Usage = turn.Usage is not { } usage ? null : new ResponseUsage(
            usage.PromptTokens,
            new InputTokensDetails(usage.CachedTokens),
            usage.CompletionTokens,
            new OutputTokensDetails(ReasoningTokens: 0),
            usage.PromptTokens + usage.CompletionTokens),
    };

    public static Response Failed(Response response, HerdException error) => response with
    {
        Status = "failed", Error = new ResponseError("server_error", error.Message),
    };

    /// <summary>The answer as an item of the output.</summary>
    public static OutputItem Message(ResponseId id, Turn turn) =>
        new(id.Message, turn.Finish == Finish.Stop ? "completed" : "incomplete", "assistant", [Part(turn.Answer.Text)]);

    public static OutputPart Part(string text) => new("output_text", text) { Annotations = [] };

    /// <summary>What was said, as items, the latest first.</summary>
    public static InputItemList Input(ResponseId id, Turn turn)
    {
        var items = turn.Input
            .Select((message, i) => new OutputItem(
                $"{id.Message}_{i}",
                "completed",
                message.Role.ToString().ToLowerInvariant(),
                [message.Role == Role.Assistant ? Part(message.Text) : new OutputPart("input_text", message.Text)]))
            .Reverse()
            .ToList();
        return new InputItemList(items, items.FirstOrDefault()?.Id, items.LastOrDefault()?.Id);
    }

    private static string Status(Turn turn) => turn.State switch
    {
        TurnState.Completed => turn.Finish == Finish.Length ? "incomplete" : "completed",
        TurnState.Cancelled => "cancelled",
        TurnState.Failed => "failed",
        _ => "in_progress",
    };

    private static TextFormat Format(AnswerForm? form) => form switch
    {
        null => new TextFormat("text"),
        { Schema: { } schema } => new TextFormat("json_schema", "answer", JsonDocument.Parse(schema).RootElement),
        _ => new TextFormat("json_object"),
    };
}
