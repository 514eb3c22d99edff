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

    /// <summary>The turns as the ledger has them.</summary>
    public IReadOnlyList<BilledTurn> Billed { get; init; } = [];

    /// <summary>The placements of the slowest later turns.</summary>
    public IReadOnlyDictionary<TurnRecord, string> Placements { get; init; } = new Dictionary<TurnRecord, string>();

    /// <summary>Turns after the first one of their conversation, slowest first token first.</summary>
    public static IEnumerable<TurnRecord> Later(IEnumerable<TurnRecord> turns) => turns
        .GroupBy(turn => turn.Conversation)
        .SelectMany(of => of.Skip(1))
        .Where(IsAnswered)
        .OrderByDescending(turn => turn.FirstPiece);

    public ChaosFigures Figures()
    {
        var later = Later(Turns).ToList();
        var moved = Turns.Where(turn => turn.Nodes > 1).ToList();
        var unfinished = Unfinished();
        return new ChaosFigures
        {
            Turns = Turns.Count,
            TurnsAnswered = Turns.Count(IsAnswered),
            TurnsUnsaved = Turns.Count(turn => turn.IsUnsaved),
            TurnsAborted = Turns.Count(turn => turn.IsAborted),
            Tokens = Turns.Sum(turn => turn.Tokens),
            Faults = Faults.Count,
            Seconds = Math.Round(Took.TotalSeconds, 3),
            FirstTokenSeconds = ChaosFigures.Spread.From(Turns.Select(turn => turn.FirstPiece)),
            LaterFirstTokenSeconds = ChaosFigures.Spread.From(later.Select(turn => turn.FirstPiece)),
            LongestGapSeconds = ChaosFigures.Spread.From(Turns.Select(turn => turn.LongestGap)),
            TurnsContinued = moved.Count,
            FailoverSeconds = ChaosFigures.Spread.From(moved.Select(Failover)),
            ContinuedLongestGapSeconds = ChaosFigures.Spread.From(moved.Select(turn => turn.LongestGap)),
            LaterTurns = later.Count,
            LaterTurnsCached = later.Count(turn => turn.IsWarm),
            TurnsReconnected = Turns.Count(turn => turn.Connections > 1),
            TurnsRestarted = Turns.Count(turn => turn.Restarts > 0),
            EvenLoadSeconds = EvenAfter is { } even ? Math.Round(even.TotalSeconds, 3) : null,
            TokensBilled = Billed.Sum(turn => turn.Completion),
            TokensBilledUnfinished = unfinished.Sum(turn => turn.Billed),
            Unfinished = unfinished,
            Violations = Violations,
        };
    }

    public IEnumerable<string> Lines()
    {
        var figures = Figures();
        var later = Later(Turns).ToList();
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"{figures.TurnsAnswered} of {figures.Turns} turns answered, {figures.TurnsAborted} left by their users, "
            + $"{figures.Tokens} tokens, "
            + $"in {figures.Seconds:0} s with {figures.Faults} faults; "
            + $"{figures.TurnsUnsaved} could not be stored at once, and were marked as unsaved");
        yield return $"first token: {figures.FirstTokenSeconds}; of later turns {figures.LaterFirstTokenSeconds}";
        yield return $"longest gap in an answer: {figures.LongestGapSeconds}";
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"{figures.TurnsContinued} answers continued on another node; "
            + $"time until it took over: {figures.FailoverSeconds}; "
            + $"their longest gap, with prefill: {figures.ContinuedLongestGapSeconds}");
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"later turns whose history was cached: {figures.LaterTurnsCached} of {figures.LaterTurns}; "
            + $"turns over more than one connection: {figures.TurnsReconnected}, "
            + $"restarted from the beginning: {figures.TurnsRestarted}");
        if (figures.EvenLoadSeconds is { } even)
        {
            yield return Text($"the load was within 1.25 of even {even:0.0} s after the added node was ready");
        }

        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"billed: {figures.TokensBilled} tokens of answers = "
            + $"{figures.TokensBilled - figures.TokensBilledUnfinished} of answered turns "
            + $"and {figures.TokensBilledUnfinished} computed for {figures.Unfinished.Count} others");
        foreach (var turn in figures.Unfinished)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"not answered, {turn.State}: {turn.Delivered} tokens were delivered and {turn.Billed} are billed "
                + $"in {turn.Turn} of {turn.Conversation}");
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

        foreach (var turn in later.Where(turn => !turn.IsWarm).Take(Longest))
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

    private List<ChaosFigures.Difference> Unfinished()
    {
        var bills = Billed.ToLookup(turn => (turn.Conversation, turn.TurnId));
        return
        [
            .. from turn in Turns
               where !IsAnswered(turn)
               let bill = bills[(turn.Conversation, turn.TurnId)].FirstOrDefault()
               select new ChaosFigures.Difference(
                   turn.Conversation,
                   turn.TurnId,
                   bill?.State.ToString().ToLowerInvariant() ?? "none",
                   turn.Tokens,
                   bill?.Completion ?? 0),
        ];
    }

    private static bool IsAnswered(TurnRecord turn) => turn.IsAcknowledged || turn.IsUnsaved;

    private static string Seconds(Google.Protobuf.WellKnownTypes.Duration? duration) =>
        Text($"{duration?.ToTimeSpan().TotalSeconds:0.00}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
