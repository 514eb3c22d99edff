using System.Collections.Concurrent;
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
/// Keeps the <see cref="ClusterView"/>: follows the reports of every node of the cluster over its link. A connection that
/// breaks, as that of a killed process does at once, or a node that is silent, as a frozen one is, means that the node gets
/// no work until it reports again.
/// </summary>
internal sealed class NodeWatcher(
    IClusterMembershipService membership,
    IClusterManifestProvider manifests,
    GrainInterfaceTypeResolver interfaces,
    IGrainFactory grains,
    NodeLinks links,
    ClusterView view,
    IOptions<RoutingOptions> options,
    TimeProvider time,
    ILogger<NodeWatcher> logger) : BackgroundService
{
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(250);

    private readonly ConcurrentDictionary<SiloAddress, CancellationTokenSource> _followed = new();

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Run(stoppingToken);

    /// <summary>Follows whoever is there until the process ends.</summary>
    internal async Task Run(CancellationToken stoppingToken)
    {
        var nodeInterface = interfaces.GetGrainInterfaceType(typeof(INodeGrain));
        using var membershipChanged = new SemaphoreSlim(1);
        _ = Signal(membership.MembershipUpdates, membershipChanged, stoppingToken);
        _ = Signal(manifests.Updates, membershipChanged, stoppingToken);
        while (!stoppingToken.IsCancellationRequested)
        {
            await membershipChanged.WaitAsync(stoppingToken);
            Reconcile(nodeInterface, stoppingToken);
        }
    }

    private static async Task Signal<T>(IAsyncEnumerable<T> updates, SemaphoreSlim changed, CancellationToken cancellation)
    {
        await foreach (var _ in updates.WithCancellation(cancellation))
        {
            changed.Release();
        }
    }

    private void Reconcile(GrainInterfaceType nodeInterface, CancellationToken stopping)
    {
        // One that shuts down still reports while it drains.
        var manifest = manifests.Current;
        var nodes = membership.CurrentSnapshot.Members.Values
            .Where(member => member.Status is SiloStatus.Active or SiloStatus.ShuttingDown && manifest.Serves(member.SiloAddress, nodeInterface))
            .OrderBy(member => member.Name, StringComparer.Ordinal)
            .ToDictionary(member => member.SiloAddress, member => member.Name);

        foreach (var (silo, name) in nodes.Where(node => !_followed.ContainsKey(node.Key)))
        {
            var left = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            _followed[silo] = left;
            _ = Follow(name, left.Token);
        }

        foreach (var (silo, left) in _followed.Where(followed => !nodes.ContainsKey(followed.Key)).ToList())
        {
            _followed.TryRemove(silo, out _);
            left.Cancel();
            left.Dispose();
        }
    }

    private async Task Follow(string node, CancellationToken left)
    {
        string? address = null;
        var isTold = false;
        while (!left.IsCancellationRequested)
        {
            try
            {
                address ??= await grains.GetReachableGrain<INodeGrain>(node).LinkAddress().WaitAsync(options.Value.Silence, time, left);
                await foreach (var report in links.Watch(address, options.Value.Silence, left))
                {
                    view.Update(report);
                    isTold = false;
                }

                view.MarkLost(node);
            }
            catch (Exception e) when (!left.IsCancellationRequested)
            {
                // What is lost is lost once, however often it is tried after that.
                if (!isTold)
                {
                    NodeWatcherLog.StreamBroke(logger, node, e.GetType().Name, e.Message);
                    view.MarkLost(node);
                    isTold = true;
                }
            }
            catch (Exception)
            {
                // It has left the cluster, or this gateway is stopping.
            }

            await Task.Delay(Retry, time, left).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        // A node that was started again has a silo of its own, which is followed already.
        if (!_followed.Keys.Any(silo => membership.CurrentSnapshot.Members.TryGetValue(silo, out var m) && m.Name == node))
        {
            view.Remove(node);
        }
    }
}

internal static partial class NodeWatcherLog
{
    [LoggerMessage(EventId = 300, Level = LogLevel.Warning, Message = "Node {Node} no longer reports: {Kind}: {Reason}")]
    public static partial void StreamBroke(ILogger logger, string node, string kind, string reason);
}
