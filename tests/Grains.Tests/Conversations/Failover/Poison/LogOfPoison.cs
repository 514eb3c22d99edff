using Herd.Grains.Conversations.Failover.Poison;
using Herd.Testing;
using Microsoft.Extensions.Logging;

namespace Herd.Grains.Tests.Conversations.Failover.Poison;

/// <summary>Records what is logged of suspect turns.</summary>
internal sealed class LogOfPoison : RecordingLogger, ILogger<PoisonTurns>
{
    public List<(int Id, string Text)> Lines { get; } = [];

    protected override void Record(LogLevel level, int id, string line) => Lines.Add((id, line));
}
