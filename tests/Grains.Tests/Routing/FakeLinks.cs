using System.Reflection;
using System.Threading.Channels;
using Google.Protobuf;
using Grpc.Core;
using Herd.Contracts.Nodes;
using Herd.Grains.Nodes.Link;
using Herd.Link.V1;
using Orleans.Serialization;

namespace Herd.Grains.Tests.Routing;

/// <summary>
/// Links of nodes that send the reports they are given, each node at the address "http://" and its name.
/// </summary>
internal sealed class FakeLinks(Serializer<NodeReport> reports) : ILinkTransport
{
    private readonly Dictionary<string, Channel<WatchResponse>> _streams = [];

    public CallInvoker To(string address) => new Invoker(Stream(address));

    /// <summary>Grains whose nodes have the addresses of this class.</summary>
    public static IGrainFactory Grains() => DispatchProxy.Create<IGrainFactory, FakeNodeGrains>();

    public void Send(NodeReport report) => Stream($"http://{report.Node}").Writer.TryWrite(
        new WatchResponse { Report = ByteString.CopyFrom(reports.SerializeToArray(report)) });

    /// <summary>Breaks a node's connection, or the next one if there is none.</summary>
    public void Break(string node) => Stream($"http://{node}").Writer.TryWrite(new WatchResponse());

    private Channel<WatchResponse> Stream(string address)
    {
        lock (_streams)
        {
            return _streams.TryGetValue(address, out var stream)
                ? stream
                : _streams[address] = Channel.CreateUnbounded<WatchResponse>();
        }
    }

    private sealed class Invoker(Channel<WatchResponse> stream) : CallInvoker
    {
        public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => new(
                (IAsyncStreamReader<TResponse>)(object)new Reader(stream),
                Task.FromResult(new Metadata()),
                () => Status.DefaultSuccess,
                () => [],
                () => { });

        public override TResponse BlockingUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
            throw new NotSupportedException();

        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
            throw new NotSupportedException();

        public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options) =>
            throw new NotSupportedException();

        public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options) =>
            throw new NotSupportedException();
    }

    private sealed class Reader(Channel<WatchResponse> stream) : IAsyncStreamReader<WatchResponse>
    {
        public WatchResponse Current { get; private set; } = new();

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            Current = await stream.Reader.ReadAsync(cancellationToken);
            return Current.Report.Length > 0
                ? true
                : throw new RpcException(new Status(StatusCode.Unavailable, "The connection is broken."));
        }
    }
}

/// <summary>A grain factory whose grains are nodes, and such a node: it knows the address of its link only.</summary>
public class FakeNodeGrains : DispatchProxy
{
    private string _node = "";

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (targetMethod!.Name == nameof(INodeGrain.LinkAddress))
        {
            return Task.FromResult($"http://{_node}");
        }

        var node = Create<INodeGrain, FakeNodeGrains>();
        ((FakeNodeGrains)(object)node)._node = (string)args![0]!;
        return node;
    }
}
