using System.Text.Json.Nodes;

namespace Herd.Simulator;

/// <summary>
/// A run's result. Imbalance is the busiest node's turns beside the mean, at the median second; decisions a second are
/// measured by the model only.
/// </summary>
internal sealed record Summary(
    string Policy,
    int Turns,
    double FirstMedian,
    double FirstP99,
    double Imbalance,
    double Cached,
    int Pulled,
    int Rebalanced,
    double? DecisionsPerSecond)
{
    public JsonObject ToJson() => new()
    {
        ["policy"] = Policy,
        ["turns"] = Turns,
        ["ttft_p50_seconds"] = FirstMedian,
        ["ttft_p99_seconds"] = FirstP99,
        ["busiest_to_mean_ratio"] = double.IsNaN(Imbalance) ? null : Imbalance,
        ["history_cached_share"] = double.IsNaN(Cached) ? null : Cached,
        ["turns_pulled"] = Pulled,
        ["sessions_rebalanced"] = Rebalanced,
        ["decisions_per_second"] = DecisionsPerSecond,
    };
}
