using Microsoft.Extensions.Logging;

namespace Herd.Gateway.Tests.Tenants;

/// <summary>The lines that were written to the audit trail.</summary>
internal sealed class AuditLines : ILoggerFactory, ILogger
{
    public List<string> All { get; } = [];

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public ILogger CreateLogger(string categoryName)
    {
        Assert.Equal("Herd.Audit", categoryName);
        return this;
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter) => All.Add(formatter(state, exception));

    public void Dispose()
    {
    }
}
