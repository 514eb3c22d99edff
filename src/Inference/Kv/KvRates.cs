namespace Herd.Inference.Kv;

/// <summary>The measured costs of a token's keys and values: to compute, save, restore or read them.</summary>
internal sealed class KvRates
{
    /// <summary>Tokens a second that prefill computes.</summary>
    public Rate Prefill { get; } = new(500);

    /// <summary>Bytes a second from the device to host memory.</summary>
    public Rate Save { get; } = new(1e9);

    /// <summary>Bytes a second from host memory to the device.</summary>
    public Rate Restore { get; } = new(1e9);

    /// <summary>Bytes a second from disk to host memory, verified.</summary>
    public Rate Read { get; } = new(3e8);

    /// <summary>Bytes of state that a token has; 0 until a state was saved.</summary>
    public double BytesPerToken { get; private set; }

    public void RecordSize(int tokens, long bytes) =>
        BytesPerToken = tokens > 0 ? (double)bytes / tokens : BytesPerToken;

    /// <summary>Seconds to copy a resident sequence to another slot, by way of the host.</summary>
    public double Copy(int tokens) => Save.Seconds(tokens * BytesPerToken) + Restore.Seconds(tokens * BytesPerToken);

    /// <summary>True if keeping a sequence of this length in host memory can be faster than a replay.</summary>
    public bool PaysToSave(int tokens) => Restore.Seconds(tokens * BytesPerToken) < Prefill.Seconds(tokens);
}
