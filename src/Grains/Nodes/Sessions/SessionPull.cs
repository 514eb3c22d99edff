using Grpc.Core;
using Herd.Contracts.Nodes;
using Herd.Grains.Hosting.Identity;
using Herd.Grains.Nodes.Link;
using Herd.Inference.Kv.Snapshots;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Nodes.Sessions;

/// <summary>Pulls sessions' KV caches from other nodes. If a pull fails, the KV cache stays where it is.</summary>
internal sealed class SessionPull(
    NodeLinks links, ClusterKey key, IOptions<NodeOptions> options, TimeProvider time, ILogger<SessionPull> logger)
{
    /// <param name="session">The session's key on this node.</param>
    /// <param name="model">The session's model.</param>
    /// <param name="link">The address of the other node's link.</param>
    /// <param name="source">The session's key on the other node.</param>
    /// <param name="cancellation">Ends the pull.</param>
    public async Task<KvPull> Run(
        string session, LoadedModel model, string link, string source, CancellationToken cancellation)
    {
        var started = time.GetTimestamp();
        try
        {
            using var snapshot = new SnapshotReceiver(
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
            return new KvPull(tokens, bytes, took.TotalSeconds, Failure: null);
        }
        catch (Exception e) when (e is RpcException or InvalidDataException or OperationCanceledException)
        {
            return Failed(e is RpcException rpc ? rpc.Status.Detail : e.Message);
        }

        KvPull Failed(string reason)
        {
            SessionPullLog.Failed(logger, link, reason);
            return new KvPull(0, 0, time.GetElapsedTime(started).TotalSeconds, reason);
        }
    }
}

internal static partial class SessionPullLog
{
    [LoggerMessage(
        EventId = 420,
        Level = LogLevel.Warning,
        Message = "A pull from {Link} failed: {Reason}. The KV cache stays there.")]
    public static partial void Failed(ILogger logger, string link, string reason);
}
