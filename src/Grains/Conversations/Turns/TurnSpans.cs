using System.Diagnostics;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Placements;
using Herd.Grains.Telemetry;

namespace Herd.Grains.Conversations.Turns;

/// <summary>What a trace tells of a turn on its gateway.</summary>
internal static class TurnSpans
{
    /// <summary>A turn, from when it came; until now it waited for an earlier one of its conversation.</summary>
    public static Activity? Begin(TurnRequest request, string conversation, DateTimeOffset came, DateTimeOffset now)
    {
        var span = Spans.Begin("chat", caller: request.Trace, begun: came)
            ?.SetTag("gen_ai.operation.name", "chat")
            .SetTag("gen_ai.provider.name", "herd")
            .SetTag("gen_ai.conversation.id", conversation)
            .SetTag("herd.turn.id", request.TurnId);
        Spans.Past("wait", came, now - came);
        return span;
    }

    /// <summary>How it ended.</summary>
    public static void Complete(this Activity? span, Turn turn)
    {
        if (span is null)
        {
            return;
        }

        span.DisplayName = $"chat {turn.Model}";
        span.SetTag("gen_ai.request.model", turn.Model)
            .SetTag("gen_ai.response.id", turn.Id)
            .SetTag("gen_ai.response.finish_reasons", turn.Finish is { } finish ? new[] { finish.ToString().ToLowerInvariant() } : null)
            .SetTag("gen_ai.usage.input_tokens", turn.Usage?.PromptTokens)
            .SetTag("gen_ai.usage.output_tokens", turn.Usage?.CompletionTokens)
            .SetTag("gen_ai.usage.cache_read.input_tokens", turn.Usage?.CachedTokens)
            .SetTag("herd.node", turn.Node);
    }

    /// <summary>Where it was placed, and what was foreseen there.</summary>
    public static void Chose(this Activity? span, PlacementDecision decision)
    {
        var forecast = decision.Considered.FirstOrDefault(considered => considered.Node == decision.Node);
        span?.SetTag("herd.node", decision.Node)
            .SetTag("herd.home", decision.Home)
            .SetTag("herd.placement.reason", decision.Reason.ToString())
            .SetTag("herd.placement.policy", decision.Policy)
            .SetTag("herd.placement.possible", decision.Possible)
            .SetTag("herd.kv.origin", forecast?.Origin.ToString())
            .SetTag("herd.forecast.ttft", forecast?.Total);
    }

    /// <summary>Why a step failed.</summary>
    public static void Fail(this Activity? span, Exception exception) =>
        span.Fail(exception is HerdException herd ? herd.Error.ToString() : exception.GetType().Name);
}
