using System.Diagnostics;
using Herd.Contracts.Nodes;
using Herd.Grains.Telemetry;
using Herd.Inference.Generation;

namespace Herd.Grains.Nodes.Sessions;

/// <summary>Adds an answer on its node to the trace after its end, with the phases of the engine.</summary>
internal static class SessionSpans
{
    /// <param name="request">The request.</param>
    /// <param name="came">The time of its arrival.</param>
    /// <param name="result">The result; null if the answer was abandoned or failed.</param>
    /// <param name="now">The time of its end.</param>
    public static void Record(SessionRequest request, DateTimeOffset came, GenerationResult? result, DateTimeOffset now)
    {
        using var session = Spans.Begin("session", ActivityKind.Server, request.Trace, came);
        if (session is null)
        {
            return;
        }

        session.SetTag("herd.turn.id", request.Turn).SetTag("herd.epoch", request.Epoch).SetEndTime(now.UtcDateTime);
        if (result is null)
        {
            session.SetTag("herd.abandoned", true);
            return;
        }

        var begun = now - result.Queued - result.Prefill - result.Decode;
        Spans.Past("prompt", came, begun - came);
        var admitted = Spans.Past("queue", begun, result.Queued);
        var filled = result.PrefixSource == PrefixSource.Computed
            ? admitted
            : Spans.Past(
                "restore",
                admitted,
                result.Restore,
                ("herd.kv.origin", result.PrefixSource.ToString()),
                ("herd.kv.tokens", result.CachedTokens));
        var computed = result.PromptTokens - result.CachedTokens;
        var first = Spans.Past("prefill", filled, result.Prefill - result.Restore, ("herd.tokens", computed));
        Spans.Past("decode", first, result.Decode, ("herd.tokens", result.CompletionTokens));
    }
}
