using Herd.Contracts.Conversations;

namespace Herd.Gateway.Telemetry;

/// <summary>Measures one turn, from its admission until the measure is disposed.</summary>
internal sealed class TurnMeasure : IDisposable
{
    private readonly GatewayMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly long _begun;
    private TimeSpan? _first;

    public TurnMeasure(GatewayMetrics metrics, TimeProvider time)
    {
        (_metrics, _time, _begun) = (metrics, time, time.GetTimestamp());
        metrics.Begin();
    }

    /// <summary>The completed turn; null before.</summary>
    public Turn? Turn { get; set; }

    /// <summary>Records the time of the first token. Later calls do nothing.</summary>
    public void RecordFirstToken() => _first ??= _time.GetElapsedTime(_begun);

    public void Dispose() => _metrics.End(Turn, _time.GetElapsedTime(_begun), _first);
}
