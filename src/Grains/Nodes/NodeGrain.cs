using Herd.Contracts.Nodes;
using Herd.Grains.Nodes.Drain;
using Herd.Grains.Placement;
using Orleans.GrainDirectory;
using Orleans.Placement;

namespace Herd.Grains.Nodes;

/// <summary>The GPU node as the cluster sees it.</summary>
[NodePlacement, GrainDirectory(NodeGrainDirectory.Name), Immovable]
internal sealed class NodeGrain(NodeHost host, NodeDrain drain) : Grain, INodeGrain
{
    /// <summary>Who was answered just now is likely to go on at once.</summary>
    private static readonly TimeSpan LeastRest = TimeSpan.FromSeconds(1);

    public Task<string> LinkAddress() => Task.FromResult(host.Link);

    public async Task<IReadOnlyList<RestingSession>> RestingSessions(string model)
    {
        if (host.Loaded is not { } loaded || loaded.Id != model)
        {
            return [];
        }

        return
        [
            .. from session in await loaded.Engine.Sessions()
               where !session.IsActive && session.Idle > LeastRest
               let key = SessionKey.Parse(session.Session)
               select new RestingSession(key.Tenant, key.Conversation, session.Bytes, session.Idle),
        ];
    }

    public Task<DrainPreview> PreviewDrain(CancellationToken cancellation) => drain.Preview();

    public Task Drain()
    {
        drain.Request();
        return Task.CompletedTask;
    }
}
