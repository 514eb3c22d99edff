using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Herd.Load.Targets;

namespace Herd.Load.Scenes;

/// <summary>
/// Turns come at random at a fifth, then at three times the capacity of two simulated nodes: the time to a refusal, and
/// the time to the first token of accepted turns.
/// </summary>
internal static class OverloadScene
{
    private const int Nodes = 2;
    private const int Slots = 8;
    private const int AnswerTokens = 48;
    private const double Capacity = 5.5;
    private const int WarmUpTurns = 20;
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(40);
    private static readonly string Padding = string.Concat(Enumerable.Repeat("some words ", 16));

    public static async Task<IReadOnlyList<Result>> Run(double maxWait, int maxWaiting, double maxStepSlowdown)
    {
        await using var herd = await HerdGateway.StartSimulated(
            Nodes,
            Slots,
            1,
            ("Gateway__MaxPredictedWait", TimeSpan.FromSeconds(maxWait).ToString("c", CultureInfo.InvariantCulture)),
            ("Gateway__MaxWaiting", maxWaiting.ToString(CultureInfo.InvariantCulture)),
            ("Node__MaxStepSlowdown", maxStepSlowdown.ToString(CultureInfo.InvariantCulture)));
        await WarmUp(herd);
        return [await Load(herd, 0.2), await Load(herd, 3)];
    }

    /// <summary>Warms the gateway up by turns that are not counted: gateways run for days.</summary>
    private static async Task WarmUp(HerdGateway herd)
    {
        using var http = new HttpClient { BaseAddress = herd.Address, Timeout = Timeout.InfiniteTimeSpan };
        for (var turn = 0; turn < WarmUpTurns; turn++)
        {
            await Ask(http, turn);
        }
    }

    private static async Task<Result> Load(HerdGateway herd, double factor)
    {
        using var http = new HttpClient { BaseAddress = herd.Address, Timeout = Timeout.InfiniteTimeSpan };
        using var process = herd.Process();
        var random = new Random(1);
        var seen = new List<Task<(bool IsAccepted, double Seconds)>>();
        var memory = process.WorkingSet64;
        for (var started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started) < Length;)
        {
            seen.Add(Ask(http, seen.Count));
            await Task.Delay(TimeSpan.FromSeconds(-Math.Log(1 - random.NextDouble()) / (Capacity * factor)));
        }

        var all = await Task.WhenAll(seen);
        process.Refresh();
        return new Result(
            factor,
            [.. all.Where(turn => turn.IsAccepted).Select(turn => turn.Seconds)],
            [.. all.Where(turn => !turn.IsAccepted).Select(turn => turn.Seconds)],
            memory,
            process.WorkingSet64);
    }

    private static async Task<(bool, double)> Ask(HttpClient http, int number)
    {
        var (arrivals, known) = await SimulatedChat.Ask(http, $"{number} {Guid.NewGuid()} {Padding}", AnswerTokens);
        return arrivals is null ? (false, known) : (true, arrivals[0]);
    }

    public static JsonArray Print(IReadOnlyList<Result> results) => Figures.Print(
        "Overload",
        results,
        new("load", "load_factor", result => result.Factor, "0.0"),
        new("accepted", "accepted_turns", result => result.Accepted.Count),
        new("TTFT p50 s", "ttft_p50_seconds", result => result.Accepted.Median()),
        new("p99 s", "ttft_p99_seconds", result => result.Accepted.Quantile(0.99)),
        new("refused", "refused_turns", result => result.Refused.Count),
        new("refusal p50 ms", "refusal_p50_milliseconds", result => result.Refused.Median() * 1000, "0.0"),
        new("p99 ms", "refusal_p99_milliseconds", result => result.Refused.Quantile(0.99) * 1000, "0.0"),
        new("gateway MiB before", "gateway_before_mebibytes", result => result.MemoryBefore >> 20),
        new("after", "gateway_after_mebibytes", result => result.MemoryAfter >> 20));

    /// <summary>Times are in seconds.</summary>
    internal sealed record Result(
        double Factor,
        IReadOnlyList<double> Accepted,
        IReadOnlyList<double> Refused,
        long MemoryBefore,
        long MemoryAfter);
}
