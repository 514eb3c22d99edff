using System.Runtime.InteropServices;
using Herd.Inference.Kv.Offload;

namespace Herd.Inference.Kv.PrefixCache;

/// <summary>
/// The index of the prefix cache: finds offloaded sessions of a tenant by the tokens that they begin with.
/// </summary>
internal sealed class PrefixIndex
{
    /// <summary>The number of first tokens that two sessions must share.</summary>
    private const int Tokens = 32;

    /// <summary>The maximum number of sessions that are compared with a prompt.</summary>
    private const int MaxCandidates = 8;

    private readonly Dictionary<(string Tenant, int Hash), List<OffloadedSession>> _sessions = [];

    /// <summary>Sessions that may share an allocation's prefix, the newest first.</summary>
    public IEnumerable<OffloadedSession> FindCandidates(KvAllocation allocation) =>
        _sessions.TryGetValue(KeyOf(allocation.Tenant, CollectionsMarshal.AsSpan(allocation.Tokens)), out var similar)
            ? Enumerable.Reverse(similar).Take(MaxCandidates)
            : [];

    public void Add(OffloadedSession session)
    {
        var key = KeyOf(session.Tenant, session.Tokens);
        if (!_sessions.TryGetValue(key, out var similar))
        {
            _sessions[key] = similar = [];
        }

        similar.Add(session);
    }

    public void Remove(OffloadedSession session)
    {
        var key = KeyOf(session.Tenant, session.Tokens);
        if (_sessions.TryGetValue(key, out var similar) && similar.Remove(session) && similar.Count == 0)
        {
            _sessions.Remove(key);
        }
    }

    private static (string Tenant, int Hash) KeyOf(string tenant, ReadOnlySpan<int> tokens)
    {
        var hash = default(HashCode);
        hash.AddBytes(MemoryMarshal.AsBytes(tokens[..Math.Min(Tokens, tokens.Length)]));
        return (tenant, hash.ToHashCode());
    }
}
