using System.Diagnostics;
using System.Text.Json.Nodes;
using Herd.Load.Targets;

namespace Herd.Load.Scenes;

/// <summary>
/// The cost of a gateway: processor time by token and by turn, memory, and the time it adds between tokens.
/// </summary>
internal static class GatewayScene
{
    private static readonly Size[] Sizes =
    [
        new(1, 1, 8, 1, 400),
        new(8, 1, 8, 1, 400),
        new(100, 1, 128, 20, 1000),
        new(500, 2, 256, 4, 200),
        new(2000, 8, 256, 0.7, 200),
    ];

    /// <summary>The streams that warm a gateway up, if as many are measured: gateways run for days.</summary>
    private const int WarmUp = 500;

    /// <summary>
    /// Up to so many streams get each token in a message of its own, so that the times between tokens are visible. More
    /// streams get the default interval.
    /// </summary>
    private const int MaxStreamsByToken = 8;

    /// <summary>The number of streams that begin at the same time.</summary>
    private const int Together = 20;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <param name="maxStreams">The maximum of streams.</param>
    public static async Task<IReadOnlyList<Result>> Run(int maxStreams)
    {
        var results = new List<Result>();
        foreach (var size in Sizes.Where(size => size.Streams <= maxStreams))
        {
            await using (var herd = await HerdGateway.StartSimulated(
                size.Nodes, size.Slots, size.Speed,
                ("Node__StreamInterval", size.Streams > MaxStreamsByToken ? "00:00:00.020" : "00:00:00"),
                ("Node__Speculate", "false"),
                ("Gateway__MaxPredictedWait", "00:10:00"), ("Gateway__MaxWaiting", "100000"),
                ("Routing__ReportTimeout", "00:00:30"), ("Node__StepDeadline", "00:01:00")))
            {
                await Load(herd, size with { Streams = Math.Min(size.Streams, WarmUp) }, seed: 0);
                results.Add(await Load(herd, size, seed: 1));
            }

            if (size.Streams <= MaxStreamsByToken)
            {
                var gaps = await SimulatedChat.Engine(size.Streams, size.AnswerTokens);
                results[^1] = results[^1] with { EngineGaps = gaps };
            }

            Print([results[^1]]);
        }

        return results;
    }

    private static async Task<Result> Load(HerdGateway herd, Size size, int seed)
    {
        using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = int.MaxValue })
        {
            BaseAddress = herd.Address, Timeout = Timeout.InfiniteTimeSpan,
        };
        using var process = herd.Process();
        using var windows = herd.Process();
        var cpu = process.TotalProcessorTime;
        var started = Stopwatch.GetTimestamp();
        var all = new StreamWindow(size.Streams, windows);
        var answers = new List<Task<IReadOnlyList<double>>>();
        for (var i = 0; i < size.Streams; i++)
        {
            answers.Add(Ask(http, $"Talk about {(seed * size.Streams) + i}.", size.AnswerTokens, all));
            await Task.Delay(i % Together == Together - 1 ? Pause : TimeSpan.Zero);
        }

        var (peak, end) = (0L, Task.WhenAll(answers));
        while (!end.IsCompleted)
        {
            await Task.WhenAny(end, Task.Delay(100));
            process.Refresh();
            peak = Math.Max(peak, process.WorkingSet64);
        }

        var tokens = size.Streams * size.AnswerTokens;
        process.Refresh();
        return new Result(
            size.Streams,
            tokens / Stopwatch.GetElapsedTime(started).TotalSeconds,
            all.TokensPerCpuSecond,
            ((process.TotalProcessorTime - cpu).TotalSeconds - (tokens / all.TokensPerCpuSecond)) / size.Streams,
            peak,
            [.. (await end).SelectMany(gaps => gaps)],
            []);
    }

    /// <returns>The times between chunks of the answer, in seconds.</returns>
    private static async Task<IReadOnlyList<double>> Ask(HttpClient http, string text, int tokens, StreamWindow all)
    {
        var stream = all.Stream();
        var (arrivals, _) = await SimulatedChat.Ask(http, text, tokens, stream);
        all.End();
        return arrivals!.Gaps();
    }

    public static JsonArray Print(IReadOnlyList<Result> results) => Figures.Print(
        "A gateway's cost",
        results,
        new("streams", "streams", result => result.Streams),
        new("tokens/s", "tokens_per_second", result => result.TokensPerSecond, "0"),
        new(
            "tokens by CPU second of the gateway",
            "tokens_per_cpu_second",
            result => result.TokensPerCpuSecond,
            "0"),
        new("CPU ms by turn besides", "turn_cpu_milliseconds", result => result.Turn * 1000, "0.0"),
        new("gateway MiB", "gateway_mebibytes", result => result.Memory >> 20),
        new("between chunks p50 ms", "gap_p50_milliseconds", result => result.Gaps.Median() * 1000, "0.00"),
        new("at the engine", "engine_gap_p50_milliseconds", result => result.EngineGaps.Median() * 1000, "0.00"));

    internal sealed record Result(
        int Streams,
        double TokensPerSecond,
        double TokensPerCpuSecond,
        double Turn,
        long Memory,
        IReadOnlyList<double> Gaps,
        IReadOnlyList<double> EngineGaps);

    private sealed record Size(int Streams, int Nodes, int Slots, double Speed, int AnswerTokens);
}
