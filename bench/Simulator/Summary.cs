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
    double? DecisionsPerSecond);
