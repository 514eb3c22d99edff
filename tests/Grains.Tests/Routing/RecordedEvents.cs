using System.Collections.Concurrent;
using System.Threading.Channels;
using Herd.Testing;
using Microsoft.Extensions.Logging;

namespace Herd.Grains.Tests.Routing;

/// <summary>A logger that records the ids of events.</summary>
internal sealed class RecordedEvents<T> : RecordingLogger, ILogger<T>
{
    private readonly Channel<int> _events = Channel.CreateUnbounded<int>();
    private readonly ConcurrentQueue<int> _ids = new();

    public IEnumerable<int> Ids => _ids;

    public ValueTask<int> Next(CancellationToken cancellation) => _events.Reader.ReadAsync(cancellation);

    protected override void Record(LogLevel level, int id, string line)
    {
        _ids.Enqueue(id);
        _events.Writer.TryWrite(id);
    }
}
