using Herd.Contracts.Conversations;
using Herd.Gateway.Answers;
using Herd.Gateway.Conversations;

namespace Herd.Gateway.OpenAi.Responses;

/// <summary>Makes the items of a response: of its input, and of the parts of its answer.</summary>
/// <param name="id">The response.</param>
internal sealed class ResponseItems(ResponseId id)
{
    private int _texts;
    private int _thoughts;

    /// <summary>The item that begins with this part.</summary>
    public OutputItem Begin(AnswerPart part) => part switch
    {
        { Call: { } call } => new OutputItem(
            "function_call", "fc_" + ConversationClient.WithoutPrefix(call.Id), "in_progress")
        {
            CallId = call.Id, Name = call.Name, Arguments = "",
        },
        { Thought: not null } => new OutputItem(
            "reasoning", $"rs_{ConversationClient.WithoutPrefix(id.Turn)}_{_thoughts++}", "in_progress")
        {
            Summary = [], Content = [],
        },
        _ => new OutputItem(
            "message",
            _texts++ == 0 ? id.Message : $"{id.Message}_t{_texts - 1}",
            "in_progress") { Role = "assistant", Content = [] },
    };

    /// <summary>A complete item.</summary>
    public static OutputItem End(OutputItem item, string text, bool isWhole = true) => item.Type switch
    {
        "function_call" => item with { Status = "completed", Arguments = text },
        "reasoning" => item with { Status = "completed", Content = [new OutputPart("reasoning_text", text)] },
        _ => item with { Status = isWhole ? "completed" : "incomplete", Content = [Part(text)] },
    };

    public static OutputPart Part(string text) => new("output_text", text) { Annotations = [] };

    /// <summary>The items of an answer. An empty answer is an empty message.</summary>
    public static IReadOnlyList<OutputItem> From(ResponseId id, Turn turn, AnswerMarkup markup)
    {
        var items = new ResponseItems(id);
        var parts = new AnswerReader(markup, turn.Settings, turn.Id).All(turn.Answer.Text).Joined();
        parts = parts.Count > 0 ? parts : [new AnswerPart(Text: "")];
        return
        [
            .. parts.Select((part, i) => End(
                items.Begin(part),
                part.Call?.Arguments ?? part.Thought ?? part.Text!,
                turn.Finish == Finish.Stop || i < parts.Count - 1)),
        ];
    }

    /// <summary>The items of a turn's input, in order.</summary>
    public static IEnumerable<OutputItem> Input(ResponseId id, Turn turn) =>
        turn.Input.Select((message, i) => Input(message, $"{id.Message}_{i}"));

    private static OutputItem Input(Message message, string id) => message.Role == Role.Tool
        ? new OutputItem("function_call_output", id, "completed") { CallId = "", Output = message.Text }
        : new OutputItem("message", id, "completed")
        {
            Role = message.Role.ToString().ToLowerInvariant(),
            Content =
            [
                message.Role == Role.Assistant ? Part(message.Text) : new OutputPart("input_text", message.Text),
            ],
        };

    /// <summary>A page of items.</summary>
    public static InputItemList List(IEnumerable<OutputItem> items)
    {
        var all = items.ToList();
        return new InputItemList(all, all.FirstOrDefault()?.Id, all.LastOrDefault()?.Id);
    }
}
