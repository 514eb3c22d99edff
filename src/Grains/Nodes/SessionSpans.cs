using System.Diagnostics;
using Herd.Contracts.Nodes;
using Herd.Grains.Telemetry;
using Herd.Inference.Generation;

namespace Herd.Grains.Nodes;

/// <summary>What a trace tells of an answer on its node, once it is over: the engine's steps from the times it took.</summary>
internal static class SessionSpans
{
    /// <param name="request">What was asked for.</param>
    /// <param name="came">When.</param>
    /// <param name="result">How the answer ended; null when it was left, or failed.</param>
    /// <param name="now">When it ended.</param>
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
            session.SetTag("herd.left", true);
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
        var first = Spans.Past("prefill", filled, result.Prefill - result.Restore, ("herd.tokens", result.PromptTokens - result.CachedTokens));
        Spans.Past("decode", first, result.Decode, ("herd.tokens", result.CompletionTokens));
    }
}
