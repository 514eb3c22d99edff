using System.Collections.Concurrent;
using Herd.Contracts.Nodes;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Metadata;

namespace Herd.Grains.Routing;

/// <summary>
/// Keeps the <see cref="ClusterView"/>: holds a stream of reports from every node of the cluster. A stream that breaks
/// means that the node gets no work until it reports again.
/// </summary>
internal sealed class NodeWatcher(
    IClusterMembershipService membership,
    IClusterManifestProvider manifests,
    GrainInterfaceTypeResolver interfaces,
    IGrainFactory grains,
    ClusterView view,
    TimeProvider time,
    ILogger<NodeWatcher> logger) : BackgroundService
{
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(250);

    private readonly ConcurrentDictionary<SiloAddress, CancellationTokenSource> _followed = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
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
        var manifest = manifests.Current;
        var nodes = membership.CurrentSnapshot.Members.Values
            .Where(member => member.Status == SiloStatus.Active && Serves(manifest, member.SiloAddress, nodeInterface))
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
        while (!left.IsCancellationRequested)
        {
            try
            {
                await foreach (var report in grains.GetGrain<INodeGrain>(node).Reports(left))
                {
                    view.Update(report);
                }
            }
            catch (Exception e) when (!left.IsCancellationRequested)
            {
                NodeWatcherLog.StreamBroke(logger, node, e.GetType().Name, e.Message);
                view.Lose(node);
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

    private static bool Serves(ClusterManifest manifest, SiloAddress silo, GrainInterfaceType nodeInterface) =>
        manifest.Silos.TryGetValue(silo, out var grains)
        && grains.Grains.Values.Any(grain => grain.Properties.Any(property =>
            property.Key.StartsWith(WellKnownGrainTypeProperties.ImplementedInterfacePrefix, StringComparison.Ordinal)
            && property.Value == nodeInterface.ToString()));
}

internal static partial class NodeWatcherLog
{
    [LoggerMessage(EventId = 300, Level = LogLevel.Warning, Message = "Node {Node} no longer reports: {Kind}: {Reason}")]
    public static partial void StreamBroke(ILogger logger, string node, string kind, string reason);
}
