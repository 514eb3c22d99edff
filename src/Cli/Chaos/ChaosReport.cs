using System.Diagnostics;
using System.Globalization;

namespace Herd.Cli.Chaos;

/// <summary>How a run went.</summary>
/// <param name="Turns">What the users saw.</param>
/// <param name="Violations">What the checker found.</param>
/// <param name="Faults">When each fault began, as a timestamp.</param>
/// <param name="Started">When it began, as a timestamp.</param>
/// <param name="Took">How long it took.</param>
internal sealed record ChaosReport(
    IReadOnlyList<TurnRecord> Turns, IReadOnlyList<string> Violations, IReadOnlyList<long> Faults, long Started, TimeSpan Took)
{
    /// <summary>How many of the worst are told of one by one.</summary>
    public const int Longest = 5;

    /// <summary>How long it took until a node that was added had its share of the load; null when it never had, or none was.</summary>
    public TimeSpan? EvenAfter { get; init; }

    /// <summary>Where the slowest of later turns were placed, and why there.</summary>
    public IReadOnlyDictionary<TurnRecord, string> Placements { get; init; } = new Dictionary<TurnRecord, string>();

    /// <summary>Turns that go on with a conversation, the one that waited longest for its first token first.</summary>
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
        yield return Text($"{answered.Count} of {Turns.Count} turns answered, {Turns.Sum(turn => turn.Tokens)} tokens, in {Took.TotalSeconds:0} s with {Faults.Count} faults; {Turns.Count(turn => turn.IsUnsaved)} could not be stored at once, and were said to be");
        yield return $"first token: {Spread(Turns, turn => turn.FirstPiece)}; of later turns {Spread(later, turn => turn.FirstPiece)}";
        yield return $"longest gap in an answer: {Spread(Turns, turn => turn.LongestGap)}";
        yield return $"{moved.Count} answers went on elsewhere; until another node had them: {Spread(moved, Failover)}; their longest gap, with prefill: {Spread(moved, turn => turn.LongestGap)}";
        yield return Text($"later turns whose history was cached: {later.Count - cold.Count} of {later.Count}; turns over more than one connection: {Turns.Count(turn => turn.Connections > 1)}, begun anew: {Turns.Count(turn => turn.Restarts > 0)}");
        if (EvenAfter is { } even)
        {
            yield return Text($"the load was within 1.25 of even {even.TotalSeconds:0.0} s after the added node was ready");
        }

        foreach (var turn in Turns.OrderByDescending(turn => turn.LongestGap).Take(Longest))
        {
            yield return Text($"gap of {turn.LongestGap.TotalSeconds:0.00} s until {Stopwatch.GetElapsedTime(Started, turn.LongestGapEnd).TotalSeconds:0.0} s in {turn.TurnId} of {turn.Conversation}; at the last of {turn.Nodes} nodes it was queued for {Seconds(turn.Timings?.Queued)} s and computed for {Seconds(turn.Timings?.Prefill)} s");
        }

        foreach (var turn in later.Take(Longest))
        {
            yield return Text($"first token after {turn.FirstPiece.TotalSeconds:0.00} s, asked for at {Stopwatch.GetElapsedTime(Started, turn.Asked).TotalSeconds:0.0} s, from {turn.Node}, {turn.Warmth.Cached} of {turn.Warmth.Prompt} tokens cached, in {turn.TurnId} of {turn.Conversation}; {Placements.GetValueOrDefault(turn)}");
        }

        foreach (var turn in cold.Take(Longest))
        {
            yield return Text($"replayed: {turn.Warmth.Cached} of {turn.Warmth.Prompt} tokens cached in {turn.TurnId} of {turn.Conversation}");
        }

        yield return Violations.Count == 0 ? "the checker found nothing wrong" : Text($"the checker found {Violations.Count} violations:");
        foreach (var violation in Violations)
        {
            yield return violation;
        }
    }

    /// <summary>
    /// How long a turn was silent until another node had it, the longest if several had; an answer that was silent already when
    /// the fault began, since it was being replayed, counts from there.
    /// </summary>
    private TimeSpan Failover(TurnRecord turn) => turn.Failovers.Select(times =>
        Stopwatch.GetElapsedTime(Faults.Where(fault => fault < times.TakenUp).Append(times.LastPiece).Max(), times.TakenUp)).DefaultIfEmpty().Max();

    private static bool IsAnswered(TurnRecord turn) => turn.IsAcknowledged || turn.IsUnsaved;

    private static string Spread(IEnumerable<TurnRecord> turns, Func<TurnRecord, TimeSpan> figure)
    {
        var sorted = turns.Select(turn => figure(turn).TotalSeconds).Order().ToList();
        return Text($"p50 {At(sorted, 0.5):0.00} s, p95 {At(sorted, 0.95):0.00} s, p99 {At(sorted, 0.99):0.00} s, max {At(sorted, 1):0.00} s");
    }

    private static double At(List<double> sorted, double share) => sorted.Count == 0 ? 0 : sorted[(int)(share * (sorted.Count - 1))];

    private static string Seconds(Google.Protobuf.WellKnownTypes.Duration? duration) => Text($"{duration?.ToTimeSpan().TotalSeconds:0.00}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
