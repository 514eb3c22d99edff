using Microsoft.Extensions.Logging;

namespace Herd.Testing;

/// <summary>A logger that gives every line of the log to a test.</summary>
public abstract class RecordingLogger : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter) => Record(logLevel, eventId.Id, formatter(state, exception));

    protected abstract void Record(LogLevel level, int id, string line);
}
