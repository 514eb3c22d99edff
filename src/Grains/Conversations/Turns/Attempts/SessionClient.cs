using System.Diagnostics;
using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Contracts.Placements;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Hosting;
using Herd.Grains.Routing;
using Herd.Grains.Telemetry;

namespace Herd.Grains.Conversations.Turns.Attempts;

/// <summary>A conversation's calls to its sessions: the KV caches of it that nodes hold.</summary>
internal sealed class SessionClient(NodeRegistry registry, IGrainFactory grains, TimeProvider time)
{
    /// <summary>A pull may take this many times longer than predicted.</summary>
    private const double PullTolerance = 4;

    private static readonly TimeSpan MinPullTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ReplayBufferTimeout = TimeSpan.FromSeconds(2);

    public ISessionGrain Session(Transcript transcript, string node, string model) =>
        grains.GetReachableGrain<ISessionGrain>(GrainKey.Session(node, transcript.Tenant, transcript.Id, model));

    /// <summary>
    /// Pulls the KV cache from the home if the router found that cheaper. The home keeps it until the epoch rises.
    /// </summary>
    /// <returns>The result of the pull; null if none was due.</returns>
    public async Task<KvPull?> PullIfCheaper(
        Transcript transcript, string model, PlacementDecision placement, CancellationToken cancellation)
    {
        if (placement.Home is not { } home || home == placement.Node
            || placement.Chosen is not { Origin: KvOrigin.Pull } predicted
            || registry.Find(home) is not { Link.Length: > 0 } source)
        {
            return null;
        }

        using var span = Spans.Begin("pull", ActivityKind.Client)
            ?.SetTag("herd.node", placement.Node).SetTag("herd.home", home);
        var limit = TimeSpan.FromSeconds(PullTolerance * predicted.Kv) + MinPullTimeout;
        using var timeout = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        try
        {
            var from = GrainKey.Session(home, transcript.Tenant, transcript.Id, model);
            var pull = await Session(transcript, placement.Node, model)
                .Pull(source.Link, from, either.Token).WaitAsync(either.Token);
            span?.SetTag("herd.kv.tokens", pull.Tokens).SetTag("herd.kv.bytes", pull.Bytes);
            return pull;
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested && TurnFailures.IsNodeFault(e))
        {
            span.Fail(e);
            var failure = e is OperationCanceledException ? "it took too long" : e.Message;
            return new KvPull(0, 0, limit.TotalSeconds, failure);
        }
    }

    /// <summary>
    /// Fetches the home's replay buffer of a turn that another owner began, such as a gateway that died. It holds what
    /// that owner delivered. The home is asked even if this gateway has no report of it: no other node has the buffer.
    /// </summary>
    /// <returns>Null if the home has nothing of the turn, or does not respond.</returns>
    public async Task<GenerationEvent?> FetchReplayBuffer(Transcript transcript, Turn turn)
    {
        if (transcript.Conversation!.Home is not { } home)
        {
            return null;
        }

        try
        {
            var epoch = await transcript.AcquireEpoch(home);
            return await Session(transcript, home, turn.Model!)
                .FetchReplayBuffer(epoch, turn.Id).WaitAsync(ReplayBufferTimeout, time);
        }
        catch (Exception e) when (TurnFailures.IsNodeFault(e))
        {
            return null;
        }
    }

    /// <summary>Frees a session that the conversation no longer uses. Does not wait, and does not fail.</summary>
    public void Release(Transcript transcript, string node, string model, long epoch)
    {
        async Task Call() => await Session(transcript, node, model).Release(epoch);
        Call().Ignore();
    }
}
