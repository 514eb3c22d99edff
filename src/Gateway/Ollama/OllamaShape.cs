using System.Text.Json;
using Herd.Contracts.Conversations;
using Herd.Gateway.Answers;

namespace Herd.Gateway.Ollama;

/// <summary>Makes Ollama's lines of an answer.</summary>
/// <param name="model">The model's name in the request.</param>
/// <param name="isChat">True if the answer is a message, false if it is a response.</param>
/// <param name="time">The time of each line.</param>
internal sealed class OllamaShape(string model, bool isChat, TimeProvider time)
{
    private const long NanosecondsPerTick = 100;

    public OllamaReply Part(AnswerPart part) => Fill(Line(done: false), [part]);

    public OllamaReply Last(Turn turn) => Finish(Fill(Line(done: true), []), turn);

    public OllamaReply Whole(IReadOnlyList<AnswerPart> parts, Turn turn) => Finish(Fill(Line(done: true), parts), turn);

    private OllamaReply Line(bool done) => new(model, OllamaEndpoints.Stamp(time.GetUtcNow()), done);

    private OllamaReply Fill(OllamaReply line, IReadOnlyList<AnswerPart> parts)
    {
        var text = string.Concat(parts.Select(part => part.Text));
        var thought = string.Concat(parts.Select(part => part.Thought)) is { Length: > 0 } thinking ? thinking : null;
        if (!isChat)
        {
            return line with { Response = text, Thinking = thought };
        }

        var calls = parts.Select(part => part.Call).OfType<ToolCall>().Select(ToOllama).ToList();
        return line with
        {
            Message = new OllamaMessage
            {
                Role = "assistant",
                Content = text,
                Thinking = thought,
                ToolCalls = calls.Count > 0 ? calls : null,
            },
        };
    }

    private static OllamaToolCall ToOllama(ToolCall call) =>
        new(new OllamaFunction(call.Name, JsonDocument.Parse(call.Arguments).RootElement));

    private static OllamaReply Finish(OllamaReply line, Turn turn)
    {
        var timings = turn.Timings ?? new Timings(TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero);
        return line with
        {
            DoneReason = turn.Finish == Contracts.Conversations.Finish.Length ? "length" : "stop",
            TotalDuration = Nanoseconds(timings.Queued + timings.Prefill + timings.Decode),
            LoadDuration = 0,
            PromptEvalCount = turn.Usage?.PromptTokens ?? 0,
            PromptEvalDuration = Nanoseconds(timings.Prefill),
            EvalCount = turn.Usage?.CompletionTokens ?? 0,
            EvalDuration = Nanoseconds(timings.Decode),
        };
    }

    private static long Nanoseconds(TimeSpan span) => span.Ticks * NanosecondsPerTick;
}
