using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Grains.Nodes.Drain;
using Herd.Grains.Nodes.Sessions;
using Herd.Grains.Placement;
using Orleans.GrainDirectory;
using Orleans.Placement;

namespace Herd.Grains.Nodes;

/// <summary>A node's part in the cluster.</summary>
[NodePlacement, GrainDirectory(NodeGrainDirectory.Name), Immovable]
internal sealed class NodeGrain(
    IGrainContext context,
    NodeHost host,
    NodeDrain drain,
    ModelSwitch models,
    NodeRetirement retirement,
    NodeInspection inspection)
    : Grain(context), INodeGrain
{
    /// <summary>
    /// The minimum idle time of a session that may migrate, because a caller often sends the next turn at once.
    /// </summary>
    private static readonly TimeSpan MinIdle = TimeSpan.FromSeconds(1);

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
               where !session.IsActive && session.Idle > MinIdle
               let key = SessionKey.Parse(session.Session)
               select new RestingSession(key.Tenant, key.Conversation, session.Bytes, session.Idle),
        ];
    }

    /// <summary>Runs beside the grain, because a long text takes time.</summary>
    public Task<IReadOnlyList<int>> Tokenize(string model, string text)
    {
        var loaded = host.Model(model);
        return Task.Run<IReadOnlyList<int>>(() => SessionPrompt.Guard(() => loaded.Template.Tokenize(text), "text"));
    }

    public Task<string> Detokenize(string model, IReadOnlyList<int> tokens) =>
        Task.FromResult(host.Model(model).Detokenize(tokens));

    public Task<string> Show(string model, IReadOnlyList<int> tokens) =>
        Task.FromResult(host.Model(model).Detokenize(tokens, namesControls: true));

    public Task<Embeddings> Embed(string model, IReadOnlyList<string> texts) => host.Model(model).Embedder.Embed(texts);

    public Task<IReadOnlyList<int>> Prompt(
        string model, IReadOnlyList<HistoryMessage> messages, GenerationSettings settings)
    {
        var loaded = host.Model(model);
        return Task.Run<IReadOnlyList<int>>(() => SessionPrompt.Render(messages, settings, loaded));
    }

    public Task<DrainPreview> PreviewDrain(CancellationToken cancellation) => drain.Preview();

    public Task Serve(string model)
    {
        models.Begin(model);
        return Task.CompletedTask;
    }

    public Task<NodeFacts> Inspect() => Task.FromResult(inspection.Look());

    public Task<bool> Retire() => Task.FromResult(retirement.Renew());

    public Task Drain()
    {
        drain.Request();
        return Task.CompletedTask;
    }
}
