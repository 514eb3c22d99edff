using Herd.Testing;
using Microsoft.Extensions.Logging;

namespace Herd.Gateway.Tests.Tenants;

/// <summary>The lines that were written to the audit trail.</summary>
internal sealed class AuditLines : RecordingLogger, ILoggerFactory
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

    public void Dispose()
    {
    }

    protected override void Record(LogLevel level, int id, string line) => All.Add(line);
}
