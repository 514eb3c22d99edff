using System.Text.Json;

namespace Herd.Gateway.OpenAi.Responses;

/// <summary>A response as it is made, in the events that OpenAI sends.</summary>
internal sealed class ResponseStream(HttpContext context, ResponseId id)
{
    private int _next;

    public async Task Begin(Response response)
    {
        EventStream.Prepare(context);
        await Write(new ResponseEvent("response.created") { Response = response });
        await Write(new ResponseEvent("response.in_progress") { Response = response });
        await Write(new ResponseEvent("response.output_item.added")
        {
            OutputIndex = 0, Item = new OutputItem(id.Message, "in_progress", "assistant", []),
        });
        await Write(Content("response.content_part.added") with { Part = ResponseShape.Part("") });
    }

    public Task Append(string text) => Write(Content("response.output_text.delta") with { Delta = text, Logprobs = [] });

    public async Task End(Response response, OutputItem message)
    {
        await Write(Content("response.output_text.done") with { Text = message.Content[0].Text, Logprobs = [] });
        await Write(Content("response.content_part.done") with { Part = message.Content[0] });
        await Write(new ResponseEvent("response.output_item.done") { OutputIndex = 0, Item = message });
        await Write(new ResponseEvent("response." + response.Status) { Response = response });
    }

    public Task Fail(Response response) => Write(new ResponseEvent("response.failed") { Response = response });

    private ResponseEvent Content(string type) => new(type) { ItemId = id.Message, OutputIndex = 0, ContentIndex = 0 };

    private Task Write(ResponseEvent happened) => context.Response.WriteAsync(
        $"event: {happened.Type}\ndata: {JsonSerializer.Serialize(happened with { SequenceNumber = _next++ }, ResponsesJson.Default.ResponseEvent)}\n\n",
        context.RequestAborted);
}
