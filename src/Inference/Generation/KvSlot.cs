namespace Herd.Inference.Generation;

/// <summary>A sequence of the context: the KV cache of one session at a time.</summary>
internal sealed class KvSlot(int id)
{
    public int Id { get; } = id;

    /// <summary>Whose cache it is; null when nobody's.</summary>
    public string? Session { get; set; }

    /// <summary>The tokens whose keys and values it holds.</summary>
    public List<int> Tokens { get; } = [];

    /// <summary>The sequence that is extending it; null when idle.</summary>
    public Sequence? Owner { get; set; }

    /// <summary>Grows with every use; the smallest was used longest ago.</summary>
    public long LastUsed { get; set; }
}
