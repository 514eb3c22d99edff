using Herd.Inference.Runtime;

namespace Herd.Inference.Kv.Offload;

/// <summary>A session's KV cache off the device: in host memory, on disk, or both.</summary>
internal sealed class OffloadedSession(string session, string tenant, ulong prefix, int[] tokens, long bytes)
{
    public string Session => session;

    public string Tenant => tenant;

    public ulong Prefix => prefix;

    public int[] Tokens => tokens;

    /// <summary>Size of the state.</summary>
    public long Bytes => bytes;

    /// <summary>The state; null when it is on disk only.</summary>
    public StateBuffer? State { get; set; }

    /// <summary>Bytes of its file; 0 when it has none.</summary>
    public long FileBytes { get; set; }

    /// <summary>True while its file is being written.</summary>
    public bool IsWriting { get; set; }

    /// <summary>True while its file is being read.</summary>
    public bool IsFetching { get; set; }

    /// <summary>Allocations that wait for a slot to restore it into; it stays in host memory for them.</summary>
    public int Waiters { get; set; }

    /// <summary>The time of its last use, as a timestamp.</summary>
    public long LastUsed { get; set; }
}
