using System.Text;
using Herd.Gateway.Answers;
using Herd.Gateway.Hosting;

namespace Herd.Gateway.OpenAi.Responses;

/// <summary>Streams a response as OpenAI's events. Each item is added, filled and done before the next one.</summary>
internal sealed class ResponseStream(HttpContext context, ResponseId id)
{
    private readonly ServerEvents _events = new(context);
    private readonly ResponseItems _items = new(id);
    private readonly StringBuilder _text = new();
    private OutputItem? _open;
    private int _index = -1;
    private int _next;

    public async Task Begin(Response response)
    {
        await Write(new ResponseEvent("response.created") { Response = response });
        await Write(new ResponseEvent("response.in_progress") { Response = response });
    }

    public async Task Append(AnswerPart part)
    {
        if (part.Call is not null || _open?.Type != (part.Thought is null ? "message" : "reasoning"))
        {
            await Close(isWhole: true);
            await Open(part);
        }

        var text = part.Call?.Arguments ?? part.Thought ?? part.Text!;
        _text.Append(text);
        await Write(part switch
        {
            { Call: not null } => Item("response.function_call_arguments.delta") with { Delta = text },
            { Thought: not null } => Content("response.reasoning_text.delta") with { Delta = text },
            _ => Content("response.output_text.delta") with { Delta = text, Logprobs = [] },
        });
    }

    /// <param name="response">The complete response.</param>
    /// <param name="isWhole">True if the model ended the answer.</param>
    public async Task End(Response response, bool isWhole)
    {
        if (_index < 0)
        {
            await Open(new AnswerPart(Text: ""));
        }

        await Close(isWhole);
        await Write(new ResponseEvent("response." + response.Status) { Response = response });
    }

    public Task Fail(Response response) => Write(new ResponseEvent("response.failed") { Response = response });

    private async Task Open(AnswerPart part)
    {
        _open = _items.Begin(part);
        _index++;
        _text.Clear();
        await Write(new ResponseEvent("response.output_item.added") { OutputIndex = _index, Item = _open });
        if (_open.Type == "message")
        {
            await Write(Content("response.content_part.added") with { Part = ResponseItems.Part("") });
        }
    }

    private async Task Close(bool isWhole)
    {
        if (_open is null)
        {
            return;
        }

        var text = _text.ToString();
        var done = ResponseItems.End(_open, text, isWhole);
        switch (_open.Type)
        {
            case "function_call":
                await Write(Item("response.function_call_arguments.done") with { Name = done.Name, Arguments = text });
                break;
            case "reasoning":
                await Write(Content("response.reasoning_text.done") with { Text = text });
                break;
            default:
                await Write(Content("response.output_text.done") with { Text = text, Logprobs = [] });
                await Write(Content("response.content_part.done") with { Part = done.Content![0] });
                break;
        }

        await Write(new ResponseEvent("response.output_item.done") { OutputIndex = _index, Item = done });
        _open = null;
    }

    private ResponseEvent Item(string type) => new(type) { ItemId = _open!.Id, OutputIndex = _index };

    private ResponseEvent Content(string type) => Item(type) with { ContentIndex = 0 };

    private Task Write(ResponseEvent message) =>
        _events.Write(
            message with { SequenceNumber = _next++ }, ResponsesJson.Default.ResponseEvent, kind: message.Type);
}
