using System.Diagnostics;
using Grpc.Core;
using Herd.V1;

namespace Herd.Cli.Chaos;

/// <summary>Samples the load of each node, twice a second.</summary>
internal sealed class LoadWatch(IReadOnlyList<Gateway> gateways)
{
    private const double EvenWithin = 1.25;
    private const int Window = 10;
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(500);

    private readonly List<(long At, IReadOnlyList<int> Loads)> _seen = [];

    /// <summary>Samples until it is cancelled.</summary>
    public async Task Run(CancellationToken end)
    {
        for (var next = 0; !end.IsCancellationRequested; next++)
        {
            try
            {
                var reply = await gateways[next % gateways.Count].Cluster.ListNodesAsync(
                    new ListNodesRequest(), cancellationToken: end);
                var loads = reply.Nodes.Where(node => node.State == NodeState.Ready)
                    .Select(node => node.Active + node.Queued);
                _seen.Add((Stopwatch.GetTimestamp(), [.. loads]));
                await Task.Delay(Every, end);
            }
            catch (Exception e) when (e is RpcException or OperationCanceledException)
            {
                // Another gateway responds, or the run ends.
            }
        }
    }

    /// <summary>
    /// The time from a moment until, over five seconds, no node had more than 1.25 times an even share.
    /// </summary>
    /// <returns>Null if that never happened.</returns>
    public TimeSpan? EvenAfter(long moment, int nodes)
    {
        var since = _seen.Where(seen => seen.At >= moment && seen.Loads.Count == nodes).ToList();
        for (var i = 0; i + Window <= since.Count; i++)
        {
            var sums = Enumerable.Range(0, nodes)
                .Select(node => since.Skip(i).Take(Window).Sum(seen => seen.Loads[node])).ToList();
            if (sums.Max() <= EvenWithin * sums.Average())
            {
                return Stopwatch.GetElapsedTime(moment, since[i].At);
            }
        }

        return null;
    }
}
