using Google.Protobuf;
using Grpc.Core;
using Herd.Contracts.Nodes;
using Herd.Grains.Hosting.Identity;
using Herd.Grains.Nodes.Sessions;
using Herd.Inference.Kv.Snapshots;
using Herd.Link.V1;
using Orleans.Serialization;

namespace Herd.Grains.Nodes.Link;

/// <summary>Serves herd.link.v1.NodeLinkService on this node.</summary>
internal sealed class NodeLinkService(NodeHost host, ClusterKey key, Serializer<NodeReport> reports, TimeProvider time)
    : Herd.Link.V1.NodeLinkService.NodeLinkServiceBase
{
    private const int PieceBytes = 512 << 10;

    public override async Task Watch(
        WatchRequest request, IServerStreamWriter<WatchResponse> responseStream, ServerCallContext context)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, host.Left);
        while (!over.IsCancellationRequested)
        {
            var changed = host.Changed;
            await responseStream.WriteAsync(
                new WatchResponse { Report = UnsafeByteOperations.UnsafeWrap(reports.SerializeToArray(host.Report())) },
                context.CancellationToken);
            await changed.WaitAsync(host.Heartbeat, time, over.Token)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public override async Task PullSession(
        PullSessionRequest request, IServerStreamWriter<PullSessionResponse> responseStream, ServerCallContext context)
    {
        var cancellation = context.CancellationToken;
        var model = host.Loaded is { } loaded && loaded.Id == SessionKey.Parse(request.Session).Model
            ? loaded
            : throw new RpcException(new Status(StatusCode.NotFound, "This node does not serve the model."));
        using var state = await model.Engine.Export(request.Session, cancellation)
            ?? throw new RpcException(new Status(StatusCode.NotFound, "This node has no KV cache of the session."));
        using var snapshot = new SnapshotSender(state, request.AsSession, model.Binding(key.Snapshots));
        await responseStream.WriteAsync(
            new PullSessionResponse { Header = UnsafeByteOperations.UnsafeWrap(snapshot.Header) }, cancellation);
        if (request.HeaderDigest.Span.SequenceEqual(System.Security.Cryptography.SHA256.HashData(snapshot.Header)))
        {
            snapshot.Skip(request.Received);
        }

        // Each write waits for the receiver, so a slow receiver slows the sender.
        while (Next(snapshot) is { IsEmpty: false } piece)
        {
            await responseStream.WriteAsync(new PullSessionResponse { State = piece }, cancellation);
        }

        await responseStream.WriteAsync(
            new PullSessionResponse { Seal = UnsafeByteOperations.UnsafeWrap(snapshot.Seal()) }, cancellation);
    }

    private static ByteString Next(SnapshotSender snapshot) => ByteString.CopyFrom(snapshot.Next(PieceBytes));
}
