using System.Collections.Concurrent;
using System.Threading.Channels;
using Herd.Contracts.Nodes;
using Herd.Grains.Hosting;
using Herd.Grains.Nodes.Link;
using Herd.Grains.Placement;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Metadata;

namespace Herd.Grains.Routing;

/// <summary>
/// Fills the <see cref="NodeRegistry"/> with the reports of every node of the cluster, read over the node's link. A
/// node is marked as lost when its connection breaks, as it does at once when a process is killed, or when it is
/// silent, as a frozen one is. A fault of the watcher itself is logged, and it continues.
/// </summary>
internal sealed class NodeWatcher(
    IClusterMembershipService membership,
    IClusterManifestProvider manifests,
    GrainInterfaceTypeResolver interfaces,
    IGrainFactory grains,
    NodeLinks links,
    NodeRegistry registry,
    IOptions<RoutingOptions> options,
    TimeProvider time,
    ILogger<NodeWatcher> logger) : BackgroundService
{
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(250);

    private readonly GrainInterfaceType _nodeInterface = interfaces.GetGrainInterfaceType(typeof(INodeGrain));
    private readonly ConcurrentDictionary<SiloAddress, FollowedNode> _followed = new();
    private readonly Channel<bool> _changes = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Run(stoppingToken);

    /// <summary>Follows the nodes of the cluster until the process stops.</summary>
    internal async Task Run(CancellationToken stopping)
    {
        var signals = Task.WhenAll(
            KeepRunning(() => Signal(membership.MembershipUpdates, stopping), FailedToWatch, stopping),
            KeepRunning(() => Signal(manifests.Updates, stopping), FailedToWatch, stopping));
        await KeepRunning(() => FollowMembers(stopping), FailedToWatch, stopping);
        await Task.WhenAll(_followed.Values.Select(node => node.Following));

        // An update stream may ignore the cancellation. Then it is left behind.
        await signals.WaitAsync(stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        void FailedToWatch(Exception e) => NodeWatcherLog.MembershipFailed(logger, Retry, e);
    }

    /// <summary>Runs work to its end. After a fault, which it logs, and a pause it starts the work again.</summary>
    private async Task KeepRunning(Func<Task> work, Action<Exception> log, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await work();
                return;
            }
            catch (Exception e)
            {
                if (!stopping.IsCancellationRequested)
                {
                    log(e);
                }
            }

            await Pause(stopping);
        }
    }

    private async Task Pause(CancellationToken cancellation) =>
        await Task.Delay(Retry, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private async Task Signal<T>(IAsyncEnumerable<T> updates, CancellationToken stopping)
    {
        await foreach (var _ in updates.WithCancellation(stopping))
        {
            _changes.Writer.TryWrite(true);
        }
    }

    private async Task FollowMembers(CancellationToken stopping)
    {
        do
        {
            Reconcile(stopping);
        }
        while (await _changes.Reader.ReadAsync(stopping));
    }

    private void Reconcile(CancellationToken stopping)
    {
        // A node that shuts down still reports while it drains.
        var manifest = manifests.Current;
        var nodes = membership.CurrentSnapshot.Members.Values
            .Where(member => member.Status is SiloStatus.Active or SiloStatus.ShuttingDown)
            .Where(member => manifest.Serves(member.SiloAddress, _nodeInterface))
            .OrderBy(member => member.Name, StringComparer.Ordinal)
            .ToDictionary(member => member.SiloAddress, member => member.Name);

        foreach (var (silo, name) in nodes.Where(node => !_followed.ContainsKey(node.Key)))
        {
            var left = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            _followed[silo] = new FollowedNode(left, KeepRunning(
                () => Follow(name, left.Token), e => NodeWatcherLog.FollowingFailed(logger, name, Retry, e), stopping));
        }

        foreach (var (silo, node) in _followed.Where(followed => !nodes.ContainsKey(followed.Key)).ToList())
        {
            _followed.TryRemove(silo, out _);
            node.Left.Cancel();
            node.Left.Dispose();
        }
    }

    private async Task Follow(string node, CancellationToken left)
    {
        string? address = null;
        var isLost = false;
        while (!left.IsCancellationRequested)
        {
            Exception? fault = null;
            try
            {
                var timeout = options.Value.ReportTimeout;
                address ??= await grains.GetReachableGrain<INodeGrain>(node).LinkAddress()
                    .WaitAsync(timeout, time, left);
                await foreach (var report in links.Watch(address, timeout, left))
                {
                    registry.Update(report);
                    isLost = false;
                }
            }
            catch (Exception e)
            {
                fault = e;
            }

            // A lost node is logged and marked once, however often the connection is tried after that.
            if (!isLost && !left.IsCancellationRequested)
            {
                isLost = true;
                if (fault is not null)
                {
                    NodeWatcherLog.StreamBroke(logger, node, fault.GetType().Name, fault.Message);
                }

                registry.MarkLost(node);
            }

            await Pause(left);
        }

        // A node that was started again has a new silo, which is followed already.
        var members = membership.CurrentSnapshot.Members;
        if (!_followed.Keys.Any(silo => members.TryGetValue(silo, out var member) && member.Name == node))
        {
            registry.Remove(node);
        }
    }

    /// <param name="Left">Cancelled when the node has left the cluster.</param>
    /// <param name="Following">Ends when the node has left the cluster, or the process stops.</param>
    private sealed record FollowedNode(CancellationTokenSource Left, Task Following);
}

internal static partial class NodeWatcherLog
{
    [LoggerMessage(
        EventId = 300,
        Level = LogLevel.Warning,
        Message = "Node {Node} does not report: {Kind}: {Reason}")]
    public static partial void StreamBroke(ILogger logger, string node, string kind, string reason);

    [LoggerMessage(
        EventId = 301,
        Level = LogLevel.Error,
        Message = "Reading the members of the cluster failed. This gateway reads them again in {Pause}.")]
    public static partial void MembershipFailed(ILogger logger, TimeSpan pause, Exception exception);

    [LoggerMessage(
        EventId = 302,
        Level = LogLevel.Error,
        Message = "Following the reports of node {Node} failed. This gateway follows them again in {Pause}.")]
    public static partial void FollowingFailed(ILogger logger, string node, TimeSpan pause, Exception exception);
}
