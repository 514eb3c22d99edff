namespace Herd.Grains.Routing;

/// <summary>A node that serves the model and takes work.</summary>
/// <param name="Node">Its name.</param>
/// <param name="Load">Sequences that it computes or that wait there.</param>
/// <param name="Sessions">Sessions whose KV cache it holds.</param>
public sealed record Candidate(string Node, int Load, int Sessions);

/// <summary>
/// Chooses where a turn is computed: at the conversation's home, where its KV cache is; else at the node with the least
/// load, of these the one with the fewest sessions, of these the first by name.
/// </summary>
public static class Router
{
    /// <returns>Null when no node can take the turn.</returns>
    public static string? Choose(IReadOnlyList<Candidate> candidates, string? home, IReadOnlySet<string> excluded)
    {
        var possible = candidates.Where(candidate => !excluded.Contains(candidate.Node)).ToList();
        return possible.Find(candidate => candidate.Node == home)?.Node
            ?? possible
                .OrderBy(candidate => candidate.Load)
                .ThenBy(candidate => candidate.Sessions)
                .ThenBy(candidate => candidate.Node, StringComparer.Ordinal)
                .FirstOrDefault()?.Node;
    }
}
