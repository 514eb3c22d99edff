using System.Diagnostics;
using System.Globalization;

namespace Herd.Cli.Chaos;

/// <summary>The result of a run.</summary>
/// <param name="Turns">The turns as the users saw them.</param>
/// <param name="Violations">The violations that the checker found.</param>
/// <param name="Faults">The begin of each fault, as a timestamp.</param>
/// <param name="Started">The begin of the run, as a timestamp.</param>
/// <param name="Took">The length of the run.</param>
internal sealed record ChaosReport(
    IReadOnlyList<TurnRecord> Turns,
    IReadOnlyList<string> Violations,
    IReadOnlyList<long> Faults,
    long Started,
    TimeSpan Took)
{
    /// <summary>The number of worst turns that are listed.</summary>
    public const int Longest = 5;

    /// <summary>
    /// The time until an added node had its share of the load; null if it never had, or no node was added.
    /// </summary>
    public TimeSpan? EvenAfter { get; init; }

    /// <summary>The placements of the slowest later turns.</summary>
    public IReadOnlyDictionary<TurnRecord, string> Placements { get; init; } = new Dictionary<TurnRecord, string>();

    /// <summary>Turns after the first one of their conversation, slowest first token first.</summary>
    public static IEnumerable<TurnRecord> Later(IEnumerable<TurnRecord> turns) => turns
        .GroupBy(turn => turn.Conversation)
        .SelectMany(of => of.Skip(1))
        .Where(IsAnswered)
        .OrderByDescending(turn => turn.FirstPiece);

    public IEnumerable<string> Lines()
    {
        var answered = Turns.Where(IsAnswered).ToList();
        var later = Later(Turns).ToList();
        var moved = Turns.Where(turn => turn.Nodes > 1).ToList();
        var cold = later.Where(turn => !turn.IsWarm).ToList();
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"{answered.Count} of {Turns.Count} turns answered, {Turns.Sum(turn => turn.Tokens)} tokens, "
            + $"in {Took.TotalSeconds:0} s with {Faults.Count} faults; "
            + $"{Turns.Count(turn => turn.IsUnsaved)} could not be stored at once, and were marked as unsaved");
        yield return $"first token: {Spread(Turns, turn => turn.FirstPiece)}; "
            + $"of later turns {Spread(later, turn => turn.FirstPiece)}";
        yield return $"longest gap in an answer: {Spread(Turns, turn => turn.LongestGap)}";
        yield return $"{moved.Count} answers continued on another node; "
            + $"time until it took over: {Spread(moved, Failover)}; "
            + $"their longest gap, with prefill: {Spread(moved, turn => turn.LongestGap)}";
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"later turns whose history was cached: {later.Count - cold.Count} of {later.Count}; "
            + $"turns over more than one connection: {Turns.Count(turn => turn.Connections > 1)}, "
            + $"restarted from the beginning: {Turns.Count(turn => turn.Restarts > 0)}");
        if (EvenAfter is { } even)
        {
            yield return Text(
                $"the load was within 1.25 of even {even.TotalSeconds:0.0} s after the added node was ready");
        }

        foreach (var turn in Turns.OrderByDescending(turn => turn.LongestGap).Take(Longest))
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"gap of {turn.LongestGap.TotalSeconds:0.00} s "
                + $"until {Stopwatch.GetElapsedTime(Started, turn.LongestGapEnd).TotalSeconds:0.0} s "
                + $"in {turn.TurnId} of {turn.Conversation}; at the last of {turn.Nodes} nodes "
                + $"it was queued for {Seconds(turn.Timings?.Queued)} s "
                + $"and computed for {Seconds(turn.Timings?.Prefill)} s");
        }

        foreach (var turn in later.Take(Longest))
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"first token after {turn.FirstPiece.TotalSeconds:0.00} s, "
                + $"requested at {Stopwatch.GetElapsedTime(Started, turn.Asked).TotalSeconds:0.0} s, "
                + $"from {turn.Node}, {turn.Warmth.Cached} of {turn.Warmth.Prompt} tokens cached, "
                + $"in {turn.TurnId} of {turn.Conversation}; {Placements.GetValueOrDefault(turn)}");
        }

        foreach (var turn in cold.Take(Longest))
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"replayed: {turn.Warmth.Cached} of {turn.Warmth.Prompt} tokens cached "
                + $"in {turn.TurnId} of {turn.Conversation}");
        }

        yield return Violations.Count == 0
            ? "the checker found nothing wrong"
            : Text($"the checker found {Violations.Count} violations:");
        foreach (var violation in Violations)
        {
            yield return violation;
        }
    }

    /// <summary>
    /// The longest silence of a turn until another node continued it. If the answer was silent before the fault,
    /// because it was being replayed, the silence counts from the fault.
    /// </summary>
    private TimeSpan Failover(TurnRecord turn) => turn.Failovers.Select(times =>
        Stopwatch.GetElapsedTime(
            Faults.Where(fault => fault < times.TakenUp).Append(times.LastPiece).Max(), times.TakenUp))
        .DefaultIfEmpty().Max();

    private static bool IsAnswered(TurnRecord turn) => turn.IsAcknowledged || turn.IsUnsaved;

    private static string Spread(IEnumerable<TurnRecord> turns, Func<TurnRecord, TimeSpan> figure)
    {
        var sorted = turns.Select(turn => figure(turn).TotalSeconds).Order().ToList();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"p50 {At(sorted, 0.5):0.00} s, p95 {At(sorted, 0.95):0.00} s, "
            + $"p99 {At(sorted, 0.99):0.00} s, max {At(sorted, 1):0.00} s");
    }

    private static double At(List<double> sorted, double share) =>
        sorted.Count == 0 ? 0 : sorted[(int)(share * (sorted.Count - 1))];

    private static string Seconds(Google.Protobuf.WellKnownTypes.Duration? duration) =>
        Text($"{duration?.ToTimeSpan().TotalSeconds:0.00}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
