using System.Text.Json;
using Herd.V1;
using Microsoft.Extensions.AI;

namespace Herd.Client;

/// <summary>Maps chats to herd.v1, and back.</summary>
internal static class ChatMapping
{
    public static ChatRequest ToRequest(
        IReadOnlyList<Microsoft.Extensions.AI.ChatMessage> messages, ChatOptions options, string model)
    {
        var request = new ChatRequest
        {
            Model = options.ModelId ?? model,
            Sampling = ToSampling(options),
            Form = ToForm(options.ResponseFormat),
            Stop = { options.StopSequences ?? [] },
        };
        if (options.MaxOutputTokens is { } most)
        {
            request.MaxTokens = most;
        }

        if (options.Instructions is { } instructions)
        {
            request.Messages.Add(new V1.ChatMessage { Role = Role.System, Text = instructions });
        }

        request.Messages.AddRange(messages.SelectMany(ToMessages));
        request.Tools.AddRange(ToTools(options));
        request.ToolChoice = ToChoice(options);
        return request;
    }

    /// <summary>The turn with the new message.</summary>
    public static ConverseRequest ToTurn(
        string conversation, IReadOnlyList<Microsoft.Extensions.AI.ChatMessage> messages, ChatOptions options)
    {
        var said = messages.SelectMany(ToMessages).ToList();
        var results = said.Where(message => message.Role == Role.Tool).Select(message => message.Text).ToList();
        if (results.Count != said.Count && said is not [{ Role: Role.User }])
        {
            throw new NotSupportedException(
                "A turn of a durable conversation is one message of the user, or results of functions. " +
                "Send no earlier messages: the cluster has them.");
        }

        var request = new ConverseRequest
        {
            ConversationId = conversation,
            Text = results.Count == 0 ? said[0].Text : "",
            Results = { results },
            Sampling = ToSampling(options),
            Form = ToForm(options.ResponseFormat),
            Stop = { options.StopSequences ?? [] },
            Tools = { ToTools(options) },
            ToolChoice = ToChoice(options),
        };
        if (options.MaxOutputTokens is { } most)
        {
            request.MaxTokens = most;
        }

        return request;
    }

    /// <returns>Null if the event has no content for the caller.</returns>
    public static ChatResponseUpdate? ToUpdate(V1.ChatResponse response, bool hasCalled) => response switch
    {
        { Part: { } part } => ToUpdate(part),
        { Completed: { } completed } => ToEnd(completed.FinishReason, completed.Usage, hasCalled),
        _ => null,
    };

    /// <param name="response">The event.</param>
    /// <param name="inParts">True if the answer comes in parts, because the request has functions.</param>
    /// <param name="hasCalled">True if the model called a function.</param>
    /// <returns>Null if the event has no content for the caller.</returns>
    public static ChatResponseUpdate? ToUpdate(
        ConverseResponse response, bool inParts, bool hasCalled) => response switch
    {
        { Part: { } part } => ToUpdate(part),
        { Delta: { Text.Length: > 0 } delta } when !inParts =>
            new ChatResponseUpdate { Contents = [new TextContent(delta.Text)] },
        { Completed.Turn: { } turn } => ToEnd(turn.FinishReason, turn.Usage, hasCalled),
        _ => null,
    };

    private static ChatResponseUpdate ToUpdate(ChatPart part) => new()
    {
        Contents =
        [
            part.PartCase switch
            {
                ChatPart.PartOneofCase.Call =>
                    new FunctionCallContent(part.Call.CallId, part.Call.Name, ToArguments(part.Call.Arguments)),
                ChatPart.PartOneofCase.Thought => new TextReasoningContent(part.Thought),
                _ => new TextContent(part.Text),
            },
        ],
    };

    private static ChatResponseUpdate ToEnd(FinishReason finish, Usage usage, bool hasCalled) => new()
    {
        FinishReason = finish == FinishReason.Length ? ChatFinishReason.Length
            : hasCalled ? ChatFinishReason.ToolCalls
            : ChatFinishReason.Stop,
        Contents =
        [
            new UsageContent(new UsageDetails
            {
                InputTokenCount = usage.PromptTokens,
                OutputTokenCount = usage.CompletionTokens,
                TotalTokenCount = usage.PromptTokens + usage.CompletionTokens,
                CachedInputTokenCount = usage.CachedTokens,
            }),
        ],
    };

    private static IEnumerable<V1.ChatMessage> ToMessages(Microsoft.Extensions.AI.ChatMessage message)
    {
        var results = message.Contents.OfType<FunctionResultContent>().Select(result => new V1.ChatMessage
        {
            Role = Role.Tool,
            Text = result.Result as string ?? JsonSerializer.Serialize(result.Result, AIJsonUtilities.DefaultOptions),
        }).ToList();
        if (results.Count > 0)
        {
            return results;
        }

        var other = message.Contents.FirstOrDefault(content =>
            content is not (TextContent or TextReasoningContent or FunctionCallContent or UsageContent));
        return other is not null
            ? throw new NotSupportedException(
                $"A message holds {other.GetType().Name}; only text and functions are supported.")
            :
            [
                new V1.ChatMessage
                {
                    Role = message.Role == Microsoft.Extensions.AI.ChatRole.System ? Role.System
                        : message.Role == Microsoft.Extensions.AI.ChatRole.Assistant ? Role.Assistant
                        : Role.User,
                    Text = message.Text,
                    Calls =
                    {
                        message.Contents.OfType<FunctionCallContent>().Select(call => new ToolCall
                        {
                            CallId = call.CallId,
                            Name = call.Name,
                            Arguments = JsonSerializer.Serialize(call.Arguments, AIJsonUtilities.DefaultOptions),
                        }),
                    },
                },
            ];
    }

    private static Dictionary<string, object?>? ToArguments(string json) =>
        JsonSerializer.Deserialize<Dictionary<string, object?>>(json, AIJsonUtilities.DefaultOptions);

    private static Tool ToTool(AITool tool) => tool is AIFunctionDeclaration function
        ? new Tool
        {
            Name = function.Name,
            Description = function.Description,
            Parameters = function.JsonSchema.GetRawText(),
        }
        : throw new NotSupportedException($"{tool.Name} is not a function; only functions are supported.");

    private static IEnumerable<Tool> ToTools(ChatOptions options) =>
        options.ToolMode is NoneChatToolMode ? [] : (options.Tools ?? []).Select(ToTool);

    private static ToolChoice? ToChoice(ChatOptions options)
    {
        if (options.ToolMode is not RequiredChatToolMode required)
        {
            return null;
        }

        var choice = new ToolChoice { Required = true };
        if (required.RequiredFunctionName is { } name)
        {
            choice.Name = name;
        }

        return choice;
    }

    private static AnswerForm? ToForm(ChatResponseFormat? format) => format switch
    {
        ChatResponseFormatJson { Schema: { } schema } => new AnswerForm { JsonSchema = schema.GetRawText() },
        ChatResponseFormatJson => new AnswerForm { JsonObject = new JsonObject() },
        _ => null,
    };

    private static Sampling ToSampling(ChatOptions options)
    {
        var sampling = new Sampling();
        if (options.Temperature is { } temperature)
        {
            sampling.Temperature = temperature;
        }

        if (options.TopK is { } topK)
        {
            sampling.TopK = topK;
        }

        if (options.TopP is { } topP)
        {
            sampling.TopP = topP;
        }

        if (options.Seed is { } seed)
        {
            sampling.Seed = unchecked((ulong)seed);
        }

        if (options.FrequencyPenalty is { } frequency)
        {
            sampling.FrequencyPenalty = frequency;
        }

        if (options.PresencePenalty is { } presence)
        {
            sampling.PresencePenalty = presence;
        }

        return sampling;
    }
}
