using Herd.Inference.Kv;

namespace Herd.Grains.Nodes.Sessions;

/// <summary>
/// The measured cost of pulls from other nodes: a wait that does not depend on the size, for the current steps of both
/// engines, and the transfer of the bytes. Recent pulls count more.
/// </summary>
internal sealed class PullCostModel
{
    private const double Weight = 0.2;

    private readonly Lock _lock = new();
    private readonly Rate _rate = new(initial: 2e8);

    /// <summary>The wait, in seconds.</summary>
    public double Wait { get; private set; } = 0.02;

    /// <summary>The rate of the transfer, in bytes a second.</summary>
    public double Rate => _rate.PerSecond;

    public double Seconds(long bytes) => Wait + _rate.Seconds(bytes);

    /// <param name="bytes">The size of the KV cache.</param>
    /// <param name="transfer">The time of the transfer.</param>
    /// <param name="took">The time from the request until the KV cache could be used.</param>
    public void Record(long bytes, TimeSpan transfer, TimeSpan took)
    {
        lock (_lock)
        {
            _rate.Record(bytes, transfer);
            Wait += Weight * ((took - transfer).TotalSeconds - Wait);
        }
    }
}
