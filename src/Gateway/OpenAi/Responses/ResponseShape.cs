using System.Text.Json;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;

namespace Herd.Gateway.OpenAi.Responses;

/// <summary>Makes response objects from turns.</summary>
internal static class ResponseShape
{
    private static readonly JsonElement Auto = JsonDocument.Parse("\"auto\"").RootElement;
    private static readonly JsonElement Required = JsonDocument.Parse("\"required\"").RootElement;

    /// <param name="id">The response's id.</param>
    /// <param name="turn">The turn, in any state.</param>
    /// <param name="previous">The turn before it; null if it is the first.</param>
    /// <param name="markup">The model's markup of thoughts and calls.</param>
    public static Response From(ResponseId id, Turn turn, Turn? previous, AnswerMarkup markup) => new()
    {
        Id = id.ToString(),
        CreatedAt = turn.Created.ToUnixTimeSeconds(),
        Status = Status(turn),
        IncompleteDetails = turn.Finish == Finish.Length ? new IncompleteDetails("max_output_tokens") : null,
        MaxOutputTokens = turn.Settings.MaxTokens,
        Model = turn.Model ?? "",
        Output = turn.State is TurnState.Completed or TurnState.Cancelled ? ResponseItems.From(id, turn, markup) : [],
        PreviousResponseId = previous is { IsDeleted: false } before && ResponseId.IsTurn(before.Id)
            ? (id with { Turn = before.Id }).ToString()
            : null,
        Temperature = turn.Settings.Temperature,
        TopP = turn.Settings.TopP,
        Metadata = turn.Metadata ?? new Dictionary<string, string>(),
        Text = new TextOptions(Format(turn.Settings.Form)),
        Tools = [.. (turn.Settings.Tools ?? []).Select(ToTool)],
        ToolChoice = Choice(turn.Settings.ToolChoice),
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

    private static ResponseTool ToTool(Tool tool) => new(
        "function", tool.Name, tool.Description, tool.Parameters is { } schema
            ? JsonDocument.Parse(schema).RootElement
            : null, tool.IsStrict);

    private static JsonElement Choice(ToolChoice? choice) => choice switch
    {
        { Name: { } name } => JsonDocument.Parse($$"""{"type":"function","name":"{{name}}"}""").RootElement,
        { IsRequired: true } => Required,
        _ => Auto,
    };
}
