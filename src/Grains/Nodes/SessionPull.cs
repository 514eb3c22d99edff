using Grpc.Core;
using Herd.Contracts.Nodes;
using Herd.Grains.Hosting;
using Herd.Grains.Nodes.Link;
using Herd.Inference.Kv;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Nodes;

/// <summary>Brings sessions' KV caches from other nodes. What does not come is no fault: the session is replayed.</summary>
internal sealed class SessionPull(
    NodeLinks links, ClusterKey key, IOptions<NodeOptions> options, TimeProvider time, ILogger<SessionPull> logger)
{
    /// <param name="session">The session's key here.</param>
    /// <param name="model">What it is to be computed with.</param>
    /// <param name="link">The link of the node that has it.</param>
    /// <param name="source">Its key there.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<KvMove> Run(
        string session, LoadedModel model, string link, string source, CancellationToken cancellation)
    {
        var started = time.GetTimestamp();
        try
        {
            using var snapshot = new SnapshotReader(
                session, SessionKey.Parse(session).Tenant, model.Binding(key.Snapshots), options.Value.KvHostBytes);
            var (state, transfer) = await links.Pull(link, source, session, snapshot, cancellation);
            using var owned = state;
            var (tokens, bytes) = (state.Tokens.Length, state.State.Length);
            if (!await model.Engine.Import(state))
            {
                state.State.Dispose();
                return Failed("the session is being computed here");
            }

            var took = time.GetElapsedTime(started);
            model.Pulls.Record(bytes, transfer, took);
            return new KvMove(tokens, bytes, took.TotalSeconds, Failure: null);
        }
        catch (Exception e) when (e is RpcException or InvalidDataException or OperationCanceledException)
        {
            return Failed(e is RpcException rpc ? rpc.Status.Detail : e.Message);
        }

        KvMove Failed(string why)
        {
            SessionPullLog.Failed(logger, link, why);
            return new KvMove(0, 0, time.GetElapsedTime(started).TotalSeconds, why);
        }
    }
}

internal static partial class SessionPullLog
{
    [LoggerMessage(EventId = 420, Level = LogLevel.Warning, Message = "A KV cache did not come from {Link} ({Reason}); the session is replayed")]
    public static partial void Failed(ILogger logger, string link, string reason);
}
