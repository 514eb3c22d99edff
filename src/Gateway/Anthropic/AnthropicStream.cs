using System.Text.Json;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Answers;
using Herd.Gateway.Hosting;

namespace Herd.Gateway.Anthropic;

/// <summary>
/// Streams an answer as Anthropic's events. Each block is started, filled and stopped before the next one.
/// </summary>
internal sealed class AnthropicStream(HttpContext context)
{
    private static readonly JsonElement NoInput = JsonDocument.Parse("{}").RootElement;

    private readonly ServerEvents _events = new(context);
    private int _index = -1;
    private string? _open;

    public Task Begin(MessageReply message) => Write(new MessageEvent("message_start") { Message = message });

    public async Task Append(AnswerPart part)
    {
        var (block, delta) = part switch
        {
            { Call: { } call } => (
                new Block("tool_use") { Id = call.Id, Name = call.Name, Input = NoInput },
                new EventDelta { Type = "input_json_delta", PartialJson = call.Arguments }),
            { Thought: { } thought } => (
                new Block("thinking") { Thinking = "", Signature = "" },
                new EventDelta { Type = "thinking_delta", Thinking = thought }),
            _ => (new Block("text") { Text = "" }, new EventDelta { Type = "text_delta", Text = part.Text }),
        };
        if (_open != block.Type || part.Call is not null)
        {
            await Close();
            _open = block.Type;
            await Write(new MessageEvent("content_block_start") { Index = ++_index, ContentBlock = block });
        }

        await Write(new MessageEvent("content_block_delta") { Index = _index, Delta = delta });
    }

    public async Task End(Turn turn, bool hasCalled)
    {
        await Close();
        await Write(new MessageEvent("message_delta")
        {
            Delta = new EventDelta
            {
                StopReason = AnthropicShape.StopReason(turn, hasCalled),
                StopSequence = AnthropicShape.StopSequence(turn),
            },
            Usage = AnthropicShape.Usage(turn),
        });
        await Write(new MessageEvent("message_stop"));
    }

    public Task Fail(HerdException error) =>
        Write(new MessageEvent("error") { Error = AnthropicErrors.Describe(error).Error });

    private async Task Close()
    {
        if (_open is not null)
        {
            await Write(new MessageEvent("content_block_stop") { Index = _index });
        }
    }

    private Task Write(MessageEvent message) =>
        _events.Write(message, AnthropicJson.Default.MessageEvent, kind: message.Type);
}
