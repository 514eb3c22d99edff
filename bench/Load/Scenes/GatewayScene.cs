using System.Diagnostics;
using System.Globalization;
using Herd.Load.Targets;

namespace Herd.Load.Scenes;

/// <summary>What a gateway takes to pass streams on: processor time by token, memory, and what it adds between two tokens.</summary>
internal static class GatewayScene
{
    private static readonly (int Streams, int Nodes, int Slots, double Speed)[] Sizes =
        [(1, 1, 8, 1), (8, 1, 8, 1), (100, 1, 128, 20), (500, 2, 256, 4), (2000, 8, 256, 0.7)];

    private const int AnswerTokens = 200;

    /// <summary>Streams that warm a gateway up, where as many are measured: it lives for days.</summary>
    private const int WarmUp = 500;

    /// <summary>Answers of which it is read how long the node was between two tokens.</summary>
    private const int MostSteps = 20;

    /// <summary>Streams begin so many at a time: what is measured is passing on, not beginning.</summary>
    private const int Together = 20;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <param name="most">Most streams.</param>
    public static async Task<IReadOnlyList<Result>> Run(int most)
    {
        var results = new List<Result>();
        foreach (var (streams, nodes, slots, speed) in Sizes.Where(size => size.Streams <= most))
        {
            // Few streams: each token by itself, so that what lies between two of them is seen. Many: as they come by default.
            await using var herd = await HerdGateway.StartSimulated(
                nodes, slots, speed, ("Node__StreamInterval", nodes == 1 && slots == 8 ? "00:00:00" : "00:00:00.020"), ("Node__Speculate", "false"),
                ("Gateway__MaxWait", "00:10:00"), ("Gateway__MaxWaiting", "100000"),
                ("Routing__Silence", "00:00:30"), ("Node__StepDeadline", "00:01:00"));
            await Load(herd, Math.Min(streams, WarmUp), seed: 0);
            results.Add(await Load(herd, streams, seed: 1));
            Print([results[^1]]);
        }

        return results;
    }

    private static async Task<Result> Load(HerdGateway herd, int streams, int seed)
    {
        using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = int.MaxValue }) { BaseAddress = herd.Address, Timeout = Timeout.InfiniteTimeSpan };
        using var process = herd.Process();
        var cpu = process.TotalProcessorTime;
        var started = Stopwatch.GetTimestamp();
        var answers = new List<Task<SimulatedChat.Asked>>();
        for (var i = 0; i < streams; i++)
        {
            answers.Add(SimulatedChat.Ask(http, $"Talk about {(seed * streams) + i}.", AnswerTokens));
            await Task.Delay(i % Together == Together - 1 ? Pause : TimeSpan.Zero);
        }

        var (most, all) = (0L, Task.WhenAll(answers));
        while (!all.IsCompleted)
        {
            await Task.WhenAny(all, Task.Delay(100));
            process.Refresh();
            most = Math.Max(most, process.WorkingSet64);
        }

        var took = Stopwatch.GetElapsedTime(started).TotalSeconds;
        process.Refresh();
        var cost = process.TotalProcessorTime - cpu;
        var steps = new List<double>();
        foreach (var answer in (await all).Take(MostSteps))
        {
            steps.Add(await SimulatedChat.StepAtNode(http, answer.Session!, AnswerTokens));
        }

        return new Result(
            streams,
            streams * AnswerTokens / took,
            streams * AnswerTokens / cost.TotalSeconds,
            most,
            [.. (await all).SelectMany(answer => answer.Arrivals!.Zip(answer.Arrivals!.Skip(1), (before, after) => after - before))],
            steps);
    }

    public static void Print(IReadOnlyList<Result> results) => Figures.Print(
        "A gateway's cost",
        ["streams", "tokens/s", "tokens by second of the gateway's processor time", "gateway MiB", "between pieces p50 ms", "at the node"],
        results.Select(result => new[]
        {
            result.Streams.ToString(CultureInfo.InvariantCulture),
            result.TokensPerSecond.Show("0"),
            result.TokensPerCpuSecond.Show("0"),
            (result.Memory >> 20).ToString(CultureInfo.InvariantCulture),
            (result.Gaps.Median() * 1000).Show("0.00"),
            (result.Steps.Median() * 1000).Show("0.00"),
        }));

    internal sealed record Result(int Streams, double TokensPerSecond, double TokensPerCpuSecond, long Memory, IReadOnlyList<double> Gaps, IReadOnlyList<double> Steps);
}
