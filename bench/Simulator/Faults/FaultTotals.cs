using System.Globalization;
using System.Text.Json.Nodes;

namespace Herd.Simulator.Faults;

/// <summary>The sums over the runs of several seeds.</summary>
/// <param name="Seeds">The runs.</param>
/// <param name="Faults">The injected faults.</param>
/// <param name="Continued">The answers that another node or gateway continued.</param>
/// <param name="Restarted">The answers that began anew.</param>
/// <param name="Pulled">The KV caches that were pulled.</param>
/// <param name="RefusedByChance">The healthy turns that were refused for a while.</param>
/// <param name="Refused">The poison turns that were refused.</param>
/// <param name="Violations">The violations, each with its seed.</param>
/// <param name="Took">The length of the runs, in real time.</param>
internal sealed record FaultTotals(
    int Seeds,
    int Faults,
    int Continued,
    int Restarted,
    int Pulled,
    int RefusedByChance,
    int Refused,
    IReadOnlyList<string> Violations,
    TimeSpan Took)
{
    public static FaultTotals Sum(IReadOnlyList<FaultRunResult> runs, TimeSpan took) => new(
        runs.Count,
        runs.Sum(run => run.Faults),
        runs.Sum(run => run.Continued),
        runs.Sum(run => run.Restarted),
        runs.Sum(run => run.Pulled),
        runs.Sum(run => run.RefusedByChance),
        runs.Sum(run => run.Refused),
        [.. runs.SelectMany(run => run.Violations)],
        took);

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Seeds} seeds, {Faults} faults, {Continued} answers continued, {Restarted} restarted, "
        + $"{Pulled} KV caches pulled, {Refused} poison turns refused, {RefusedByChance} others, "
        + $"{Violations.Count} violations, {Took.TotalSeconds:0} s");

    public string ToJson() => new JsonObject
    {
        ["seeds"] = Seeds,
        ["faults"] = Faults,
        ["answers_continued"] = Continued,
        ["answers_restarted"] = Restarted,
        ["kv_caches_pulled"] = Pulled,
        ["poison_turns_refused"] = Refused,
        ["healthy_turns_refused"] = RefusedByChance,
        ["violations"] = new JsonArray([.. Violations.Select(violation => (JsonNode?)violation)]),
        ["seconds"] = Math.Round(Took.TotalSeconds, 1),
    }.ToJsonString();
}
