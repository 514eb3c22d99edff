using Herd.Inference.Kv;

namespace Herd.Grains.Nodes;

/// <summary>
/// What it takes to bring a KV cache from another node, as measured of late: a wait for the step in progress there and the one
/// here, whatever its size, and the way of its bytes.
/// </summary>
internal sealed class PullCostModel
{
    private const double Weight = 0.2;

    private readonly Lock _lock = new();
    private readonly Rate _rate = new(initial: 2e8);

    /// <summary>Seconds.</summary>
    public double Wait { get; private set; } = 0.02;

    /// <summary>Bytes a second.</summary>
    public double Rate => _rate.PerSecond;

    public double Seconds(long bytes) => Wait + _rate.Seconds(bytes);

    /// <param name="bytes">What was brought.</param>
    /// <param name="transfer">How long that was on its way.</param>
    /// <param name="took">From the request until it was there to be used.</param>
    public void Record(long bytes, TimeSpan transfer, TimeSpan took)
    {
        lock (_lock)
        {
            _rate.Record(bytes, transfer);
            Wait += Weight * ((took - transfer).TotalSeconds - Wait);
        }
    }
}
