using Herd.Contracts.Conversations;
using Herd.Gateway.Answers;

namespace Herd.Gateway.OpenAi.Responses;

/// <summary>Makes items: of answers, by their parts, and of what was said.</summary>
/// <param name="id">The response they belong to.</param>
internal sealed class ResponseItems(ResponseId id)
{
    private int _texts;
    private int _thoughts;

    /// <summary>The item of the next part that is not more of the one before.</summary>
    public OutputItem Begin(AnswerPart part) => part switch
    {
        { Call: { } call } => new OutputItem("function_call", "fc_" + call.Id[(call.Id.IndexOf('_', StringComparison.Ordinal) + 1)..], "in_progress")
        {
            CallId = call.Id, Name = call.Name, Arguments = "",
        },
        { Thought: not null } => new OutputItem("reasoning", $"rs_{id.Turn[(id.Turn.IndexOf('_', StringComparison.Ordinal) + 1)..]}_{_thoughts++}", "in_progress")
        {
            Summary = [], Content = [],
        },
        _ => new OutputItem("message", _texts++ == 0 ? id.Message : $"{id.Message}_t{_texts - 1}", "in_progress") { Role = "assistant", Content = [] },
    };

    /// <summary>An item with all that there is of it.</summary>
    public static OutputItem End(OutputItem item, string text, bool isWhole = true) => item.Type switch
    {
        "function_call" => item with { Status = "completed", Arguments = text },
        "reasoning" => item with { Status = "completed", Content = [new OutputPart("reasoning_text", text)] },
        _ => item with { Status = isWhole ? "completed" : "incomplete", Content = [Part(text)] },
    };

    public static OutputPart Part(string text) => new("output_text", text) { Annotations = [] };

    /// <summary>The items of an answer; one without any part is an empty message.</summary>
    public static IReadOnlyList<OutputItem> Of(ResponseId id, Turn turn, AnswerMarkup markup)
    {
        var (items, texts) = (new ResponseItems(id), new List<(OutputItem Item, string Text)>());
        foreach (var part in new AnswerReader(markup, turn.Settings, turn.Id).All(turn.Answer.Text))
        {
            var text = part.Call?.Arguments ?? part.Thought ?? part.Text!;
            var item = texts is [.., var (before, _)] && part.Call is null && before.Type == (part.Thought is null ? "message" : "reasoning") ? before : items.Begin(part);
            if (texts is [.., var last] && ReferenceEquals(last.Item, item))
            {
                texts[^1] = (item, last.Text + text);
            }
            else
            {
                texts.Add((item, text));
            }
        }

        if (texts.Count == 0)
        {
            texts.Add((items.Begin(new AnswerPart(Text: "")), ""));
        }

        return [.. texts.Select((made, i) => End(made.Item, made.Text, turn.Finish == Finish.Stop || i < texts.Count - 1))];
    }

    /// <summary>What was said in a turn, in order.</summary>
    public static IEnumerable<OutputItem> Input(ResponseId id, Turn turn) => turn.Input.Select((message, i) => message.Role == Role.Tool
        ? new OutputItem("function_call_output", $"{id.Message}_{i}", "completed") { CallId = "", Output = message.Text }
        : new OutputItem("message", $"{id.Message}_{i}", "completed")
        {
            Role = message.Role.ToString().ToLowerInvariant(),
            Content = [message.Role == Role.Assistant ? Part(message.Text) : new OutputPart("input_text", message.Text)],
        });

    /// <summary>A page of items.</summary>
    public static InputItemList List(IEnumerable<OutputItem> items)
    {
        var all = items.ToList();
        return new InputItemList(all, all.FirstOrDefault()?.Id, all.LastOrDefault()?.Id);
    }
}
