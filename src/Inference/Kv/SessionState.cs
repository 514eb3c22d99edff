using Herd.Inference.Runtime;

namespace Herd.Inference.Kv;

/// <summary>A copy of a session's KV cache for a transfer. It holds unmanaged memory until it is disposed.</summary>
public sealed class SessionState : IDisposable
{
    private bool _disposed;

    /// <param name="session">The session.</param>
    /// <param name="tenant">The tenant of the session.</param>
    /// <param name="prefix">The digest of its prefix, for a router; 0 if it has none.</param>
    /// <param name="tokens">The tokens whose keys and values it holds.</param>
    /// <param name="state">As the runtime wrote it. Its owner may dispose it; it lives as long as this does.</param>
    public SessionState(string session, string tenant, ulong prefix, int[] tokens, StateBuffer state)
    {
        Session = session;
        Tenant = tenant;
        Prefix = prefix;
        Tokens = tokens;
        State = state;
        var kept = false;
        state.DangerousAddRef(ref kept);
    }

    public string Session { get; }

    public string Tenant { get; }

    public ulong Prefix { get; }

    public int[] Tokens { get; }

    public StateBuffer State { get; }

    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            State.DangerousRelease();
        }
    }
}

/// <summary>A session whose KV cache an engine has.</summary>
/// <param name="Session">Its name.</param>
/// <param name="Tokens">The tokens in the cache.</param>
/// <param name="Bytes">About how large it is.</param>
/// <param name="IsActive">True while an answer is being computed.</param>
/// <param name="Idle">The time since its last use.</param>
public sealed record SessionSummary(string Session, int Tokens, long Bytes, bool IsActive, TimeSpan Idle);
