namespace Herd.Simulator.Faults;

/// <summary>How a run went, and what is wrong.</summary>
/// <param name="Faults">How many there were.</param>
/// <param name="Continued">The number of answers that a node continued after another node or a break.</param>
/// <param name="Restarted">The number of answers that a client had to restart.</param>
/// <param name="Pulled">How often a KV cache came from another node.</param>
/// <param name="RefusedByChance">The number of healthy turns that were refused for a while.</param>
/// <param name="Refused">The number of poison turns that were refused.</param>
/// <param name="Violations">The violated invariants.</param>
internal sealed record FaultRunResult(
    int Faults,
    int Continued,
    int Restarted,
    int Pulled,
    int RefusedByChance,
    int Refused,
    IReadOnlyList<string> Violations);
