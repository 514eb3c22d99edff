using System.Diagnostics;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Placements;
using Herd.Grains.Telemetry;

namespace Herd.Grains.Conversations.Turns;

/// <summary>The spans of a turn on its gateway.</summary>
internal static class TurnSpans
{
    /// <summary>Begins the span of a turn at its arrival, with a child span of its wait in the queue.</summary>
    public static Activity? Begin(
        TurnRequest request, string conversation, DateTimeOffset arrived, DateTimeOffset now)
    {
        var span = Spans.Begin("chat", caller: request.Trace, begun: arrived)
            ?.SetTag("gen_ai.operation.name", "chat")
            .SetTag("gen_ai.provider.name", "herd")
            .SetTag("gen_ai.conversation.id", conversation)
            .SetTag("herd.turn.id", request.TurnId);
        Spans.Past("wait", arrived, now - arrived);
        return span;
    }

    /// <summary>Adds the result of the turn.</summary>
    public static void Complete(this Activity? span, Turn turn)
    {
        if (span is null)
        {
            return;
        }

        span.DisplayName = $"chat {turn.Model}";
        span.SetTag("gen_ai.request.model", turn.Model)
            .SetTag("gen_ai.response.id", turn.Id)
            .SetTag("gen_ai.response.finish_reasons", new[] { turn.Finish.ToString().ToLowerInvariant() })
            .SetTag("gen_ai.usage.input_tokens", turn.Usage?.PromptTokens)
            .SetTag("gen_ai.usage.output_tokens", turn.Usage?.CompletionTokens)
            .SetTag("gen_ai.usage.cache_read.input_tokens", turn.Usage?.CachedTokens)
            .SetTag("herd.node", turn.Node);
    }

    /// <summary>Adds the chosen node and its estimate.</summary>
    public static void Chose(this Activity? span, PlacementDecision decision)
    {
        var estimate = decision.Considered.FirstOrDefault(considered => considered.Node == decision.Node);
        span?.SetTag("herd.node", decision.Node)
            .SetTag("herd.home", decision.Home)
            .SetTag("herd.placement.reason", decision.Reason.ToString())
            .SetTag("herd.placement.policy", decision.Policy)
            .SetTag("herd.placement.possible", decision.Possible)
            .SetTag("herd.kv.origin", estimate?.Origin.ToString())
            .SetTag("herd.forecast.ttft", estimate?.Total);
    }

    /// <summary>Adds the reason of a failure.</summary>
    public static void Fail(this Activity? span, Exception exception) =>
        span.Fail(exception is HerdException herd ? herd.Error.ToString() : exception.GetType().Name);
}
