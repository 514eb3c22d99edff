using System.Diagnostics;
using Herd.Cli.Chaos;

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

    private static string Lines(IReadOnlyList<long> faults, params (double LastPiece, double TakenUp)[] rehomings)
    {
        var turn = new TurnRecord
        {
            Conversation = "c", TurnId = "t", Said = "", Streamed = "", Tokens = 0, IsAcknowledged = true, Nodes = 2,
            Failovers = [.. rehomings.Select(times => (At(times.LastPiece), At(times.TakenUp)))],
        };
        return string.Join('\n', new ChaosReport([turn], [], faults, Started: 0, TimeSpan.FromSeconds(30)).Lines());
    }

    private static long At(double seconds) => (long)(seconds * Stopwatch.Frequency);
}
