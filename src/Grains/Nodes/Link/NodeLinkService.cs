using Google.Protobuf;
using Grpc.Core;
using Herd.Contracts.Nodes;
using Herd.Grains.Hosting;
using Herd.Inference.Kv;
using Herd.Link.V1;
using Orleans.Serialization;

namespace Herd.Grains.Nodes.Link;

/// <summary>This node's end of herd.link.v1.NodeLinkService.</summary>
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
            await changed.WaitAsync(host.Heartbeat, time, over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public override async Task PullSession(
        PullSessionRequest request, IServerStreamWriter<PullSessionResponse> responseStream, ServerCallContext context)
    {
        var cancellation = context.CancellationToken;
        var model = host.Loaded is { } loaded && loaded.Id == SessionKey.Parse(request.Session).Model
            ? loaded
            : throw new RpcException(new Status(StatusCode.NotFound, "The model is not served here."));
        using var state = await model.Engine.Export(request.Session, cancellation)
            ?? throw new RpcException(new Status(StatusCode.NotFound, "Nothing of the session is here."));
        using var snapshot = new SnapshotWriter(state, request.AsSession, model.Binding(key.Snapshots));
        await responseStream.WriteAsync(
            new PullSessionResponse { Header = UnsafeByteOperations.UnsafeWrap(snapshot.Header) }, cancellation);
        if (request.HeaderDigest.Span.SequenceEqual(System.Security.Cryptography.SHA256.HashData(snapshot.Header)))
        {
            snapshot.Skip(request.Received);
        }

        // Written one after the other: who takes them slowly is sent them slowly.
        while (Next(snapshot) is { IsEmpty: false } piece)
        {
            await responseStream.WriteAsync(new PullSessionResponse { State = piece }, cancellation);
        }

        await responseStream.WriteAsync(
            new PullSessionResponse { Seal = UnsafeByteOperations.UnsafeWrap(snapshot.Seal()) }, cancellation);
    }

    private static ByteString Next(SnapshotWriter snapshot) => ByteString.CopyFrom(snapshot.Next(PieceBytes));
}
