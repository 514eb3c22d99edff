using System.Diagnostics;
using Herd.Cli.Chaos;
using Herd.V1;

namespace Herd.Cli.Tests.Chaos;

public sealed class ChaosReportTests
{
    /// <summary>
    /// The answer was silent for 20 s because it was being replayed; then its node was killed. The failover is the last
    /// half second.
    /// </summary>
    [Fact]
    public void Lines_AnswerWasSilentBeforeTheFault_CountsFromTheFault() =>
        Assert.Contains("time until it took over: p50 0.50 s", Lines([At(19.5)], (0, 20)), StringComparison.Ordinal);

    [Fact]
    public void Lines_DeltaCameAfterTheFault_CountsFromTheDelta() =>
        Assert.Contains(
            "time until it took over: p50 0.40 s", Lines([At(1), At(9)], (5, 5.4)), StringComparison.Ordinal);

    [Fact]
    public void Lines_TwoFailovers_ShowsTheLongerOne() =>
        Assert.Contains(
            "time until it took over: p50 2.00 s", Lines([At(1), At(5)], (1, 3), (4.9, 6)), StringComparison.Ordinal);

    /// <summary>The JSON has the same figures as the lines, with the units in the names.</summary>
    [Fact]
    public void ToJson_OfAReport_IsOneObjectInOneLine()
    {
        var report = new ChaosReport(
            [
                Turn("a") with
                {
                    Tokens = 5, FirstPiece = TimeSpan.FromSeconds(0.25), LongestGap = TimeSpan.FromSeconds(2),
                    Nodes = 2, Connections = 2, Restarts = 1, Failovers = [(At(1), At(2.5))],
                },
                Turn("b") with
                {
                    Tokens = 7, IsAcknowledged = false, IsUnsaved = true, FirstPiece = TimeSpan.FromSeconds(0.1234),
                    Warmth = (Prompt: 10, Cached: 9),
                },
                Turn("c") with { IsAcknowledged = false, IsAborted = true, Tokens = 1 },
            ],
            ["turn c: \"lost\""],
            [At(1.5)],
            Started: 0,
            TimeSpan.FromSeconds(30))
        {
            EvenAfter = TimeSpan.FromSeconds(4.5),
            Billed =
            [
                new BilledTurn("c", "a", 20, 5, UsageState.Completed),
                new BilledTurn("c", "b", 20, 7, UsageState.Completed),
                new BilledTurn("c", "c", 20, 2, UsageState.Aborted),
            ],
        };

        Assert.Equal(
            """
            {"turns":3,"turns_answered":2,"turns_unsaved":1,"turns_aborted":1,"tokens":13,"faults":1,"seconds":30,
            "first_token_seconds":{"p50":0.123,"p95":0.123,"p99":0.123,"max":0.25},
            "later_first_token_seconds":{"p50":0.123,"p95":0.123,"p99":0.123,"max":0.123},
            "longest_gap_seconds":{"p50":0,"p95":0,"p99":0,"max":2},
            "turns_continued":1,
            "failover_seconds":{"p50":1,"p95":1,"p99":1,"max":1},
            "continued_longest_gap_seconds":{"p50":2,"p95":2,"p99":2,"max":2},
            "later_turns":1,"later_turns_cached":1,"turns_reconnected":1,"turns_restarted":1,"even_load_seconds":4.5,
            "tokens_billed":14,"tokens_billed_unfinished":2,
            "unfinished":[{"conversation":"c","turn":"c","state":"aborted","delivered":1,"billed":2}],
            "violations":["turn c: \u0022lost\u0022"]}
            """.Replace("\n", "", StringComparison.Ordinal),
            report.Figures().ToJson());
    }

    private static string Lines(IReadOnlyList<long> faults, params (double LastPiece, double TakenUp)[] failovers)
    {
        var turn = Turn("t") with
        {
            Nodes = 2, Failovers = [.. failovers.Select(times => (At(times.LastPiece), At(times.TakenUp)))],
        };
        return string.Join('\n', new ChaosReport([turn], [], faults, Started: 0, TimeSpan.FromSeconds(30)).Lines());
    }

    private static TurnRecord Turn(string id) => new()
    {
        Conversation = "c", TurnId = id, Said = "", Streamed = "", Tokens = 0, IsAcknowledged = true,
    };

    private static long At(double seconds) => (long)(seconds * Stopwatch.Frequency);
}
