using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Herd.Cli.Chaos;

/// <summary>The figures of a run. As JSON their names are in snake_case.</summary>
internal sealed record ChaosFigures
{
    public required int Turns { get; init; }

    public required int TurnsAnswered { get; init; }

    /// <summary>Turns that were answered but could not be stored at once.</summary>
    public required int TurnsUnsaved { get; init; }

    /// <summary>Turns that their users left in the middle of the answer.</summary>
    public required int TurnsAborted { get; init; }

    /// <summary>Tokens that users received.</summary>
    public required int Tokens { get; init; }

    public required int Faults { get; init; }

    /// <summary>The length of the run.</summary>
    public required double Seconds { get; init; }

    public required Spread FirstTokenSeconds { get; init; }

    /// <summary>The same, of turns after the first one of their conversation.</summary>
    public required Spread LaterFirstTokenSeconds { get; init; }

    /// <summary>The longest silence of each answer.</summary>
    public required Spread LongestGapSeconds { get; init; }

    /// <summary>Answers that another node continued.</summary>
    public required int TurnsContinued { get; init; }

    /// <summary>The silence of each of these until the other node took over.</summary>
    public required Spread FailoverSeconds { get; init; }

    /// <summary>The longest silence of each of these, with the prefill.</summary>
    public required Spread ContinuedLongestGapSeconds { get; init; }

    public required int LaterTurns { get; init; }

    /// <summary>Later turns of whose prompt most was cached.</summary>
    public required int LaterTurnsCached { get; init; }

    /// <summary>Turns over more than one connection.</summary>
    public required int TurnsReconnected { get; init; }

    /// <summary>Turns that began anew.</summary>
    public required int TurnsRestarted { get; init; }

    /// <summary>
    /// The time until an added node had its share of the load; null if it never had, or no node was added.
    /// </summary>
    public required double? EvenLoadSeconds { get; init; }

    /// <summary>Tokens of answers in the ledger.</summary>
    public required int TokensBilled { get; init; }

    /// <summary>Those of turns that were not answered to their users.</summary>
    public required int TokensBilledUnfinished { get; init; }

    /// <summary>Each turn that was not answered to its user: what the user received, and what is billed.</summary>
    public required IReadOnlyList<Difference> Unfinished { get; init; }

    /// <summary>The violations that the checker found, as sentences.</summary>
    public required IReadOnlyList<string> Violations { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this, ChaosJson.Default.ChaosFigures);

    /// <summary>A turn whose bill may differ from what was delivered.</summary>
    /// <param name="Conversation">Its conversation.</param>
    /// <param name="Turn">Its id.</param>
    /// <param name="State">Its state in the ledger; "none" if it is not there.</param>
    /// <param name="Delivered">Tokens that its user received.</param>
    /// <param name="Billed">Tokens of the answer in the ledger.</param>
    internal sealed record Difference(string Conversation, string Turn, string State, int Delivered, int Billed);

    /// <summary>The spread of times in seconds, to the millisecond; zeros if there are none.</summary>
    internal sealed record Spread(double P50, double P95, double P99, double Max)
    {
        public static Spread From(IEnumerable<TimeSpan> times)
        {
            var sorted = times.Order().ToList();
            return new Spread(At(sorted, 0.5), At(sorted, 0.95), At(sorted, 0.99), At(sorted, 1));
        }

        public override string ToString() => string.Create(
            CultureInfo.InvariantCulture, $"p50 {P50:0.00} s, p95 {P95:0.00} s, p99 {P99:0.00} s, max {Max:0.00} s");

        private static double At(List<TimeSpan> sorted, double share) =>
            sorted.Count == 0 ? 0 : Math.Round(sorted[(int)(share * (sorted.Count - 1))].TotalSeconds, 3);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ChaosFigures))]
internal sealed partial class ChaosJson : JsonSerializerContext;
