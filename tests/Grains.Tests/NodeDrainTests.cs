using Herd.Contracts.Nodes;
using Herd.Grains.Hosting;
using Herd.Grains.Nodes.Drain;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Metadata;
using Orleans.Serialization;
using Orleans.Serialization.TypeSystem;

namespace Herd.Grains.Tests;

public sealed class NodeDrainTests : IAsyncLifetime
{
    private readonly SimulatedHost _node = new();
    private readonly Written _log = new();

    public async ValueTask InitializeAsync() => await _node.Start();

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    /// <summary>Whoever asked for another model was answered already, so a failure must not leave the node draining for ever.</summary>
    [Fact]
    public async Task Switch_NodeCannotBeEmptied_IsLoggedAndGoesOn()
    {
        await using var services = new ServiceCollection().AddSerializer().BuildServiceProvider();
        var drain = new NodeDrain(
            _node.Host, null!, new BrokenMembership(), null!, new GrainInterfaceTypeResolver([], services.GetRequiredService<TypeConverter>()),
            new Expulsion(_node.Lifetime, NullLogger<Expulsion>.Instance), _node.Node, _node.Cluster, TimeProvider.System, _node.Lifetime, _log);

        await drain.Switch("");

        await _node.Until(report => report is { State: NodeState.Ready, Models.Count: 0 });
        Assert.Equal([(413, LogLevel.Error)], _log.Events);
    }

    private sealed class BrokenMembership : IClusterMembershipService
    {
        public ClusterMembershipSnapshot CurrentSnapshot => throw new InvalidOperationException("Nobody knows.");

        public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => throw new NotSupportedException();

        public ValueTask Refresh(MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task<bool> TryKill(SiloAddress siloAddress) => throw new NotSupportedException();
    }

    private sealed class Written : ILogger<NodeDrain>
    {
        public List<(int Event, LogLevel Level)> Events { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Events.Add((eventId.Id, logLevel));
    }
}
