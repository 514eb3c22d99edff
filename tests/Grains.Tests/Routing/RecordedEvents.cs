using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Herd.Grains.Tests.Routing;

/// <summary>A logger that records the ids of events.</summary>
internal sealed class RecordedEvents<T> : ILogger<T>
{
    private readonly Channel<int> _events = Channel.CreateUnbounded<int>();
    private readonly ConcurrentQueue<int> _ids = new();

    public IEnumerable<int> Ids => _ids;

    public ValueTask<int> Next(CancellationToken cancellation) => _events.Reader.ReadAsync(cancellation);

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        _ids.Enqueue(eventId.Id);
        _events.Writer.TryWrite(eventId.Id);
    }
}
