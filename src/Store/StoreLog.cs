using Microsoft.Extensions.Logging;

namespace Herd.Store;

/// <summary>
/// Garnet's log: errors, one short line each. It also tells when Garnet's append-only file is broken: a write of it
/// failed, and no later write is confirmed.
/// </summary>
/// <param name="report">Takes lines.</param>
internal sealed class StoreLog(Action<string> report) : ILoggerFactory, ILogger
{
    /// <summary>The name of Garnet's exception for a write that its log could not take.</summary>
    private const string CommitFailure = "CommitFailureException";

    private const int MaxLength = 300;

    /// <summary>True once a write has failed.</summary>
    public bool IsBroken { get; private set; }

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
        // There is one log.
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
        {
            return;
        }

        var text = $"{formatter(state, exception)} {exception}";
        if (!text.Contains(CommitFailure, StringComparison.Ordinal))
        {
            report(FirstLine(text));
        }
        else if (!IsBroken)
        {
            // Once: every later write fails too, and the log may be on the same full disk.
            IsBroken = true;
            report($"A write failed, and none is confirmed until the store restarts: {FirstLine(text)}");
        }
    }

    public void Dispose()
    {
        // Nothing is held.
    }

    private static string FirstLine(string text)
    {
        var line = text.Trim().Split('\n')[0];
        return line.Length <= MaxLength ? line : line[..MaxLength] + "...";
    }
}
