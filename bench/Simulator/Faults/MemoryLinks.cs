using System.Threading.Channels;
using Grpc.Core;
using Herd.Grains.Nodes.Link;
using Herd.Link.V1;

namespace Herd.Simulator.Faults;

/// <summary>The links of the simulated nodes, as one process calls them.</summary>
internal sealed class MemoryLinks(FaultWorld world, SimulatedProcess caller) : ILinkTransport
{
    public CallInvoker To(string address) => new Invoker(world, caller, address);

    private sealed class Invoker(FaultWorld world, SimulatedProcess caller, string address) : CallInvoker
    {
        public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
        {
            var over = CancellationTokenSource.CreateLinkedTokenSource(options.CancellationToken);
            var pipe = new Pipe<TResponse>(
                caller, world.Nodes.FirstOrDefault(node => node.IsThere && node.Link == address));
            _ = pipe.Run(service => request switch
            {
                WatchRequest watch => service.Watch(
                    watch, (IServerStreamWriter<WatchResponse>)(object)pipe, new Context(over.Token)),
                PullSessionRequest pull => service.PullSession(
                    pull, (IServerStreamWriter<PullSessionResponse>)(object)pipe, new Context(over.Token)),
                _ => throw new NotSupportedException(method.Name),
            });
            return new AsyncServerStreamingCall<TResponse>(
                pipe, Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], over.Cancel);
        }

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

    /// <summary>Carries one response at a time while both processes are there.</summary>
    private sealed class Pipe<T>(SimulatedProcess caller, NodeProcess? node)
        : IServerStreamWriter<T>, IAsyncStreamReader<T>
    {
        private readonly Channel<T> _responses = Channel.CreateBounded<T>(1);

        public T Current { get; private set; } = default!;

        public WriteOptions? WriteOptions { get; set; }

        public async Task Run(Func<Herd.Link.V1.NodeLinkService.NodeLinkServiceBase, Task> serve)
        {
            try
            {
                if (node is null)
                {
                    throw Broken();
                }

                await node.Reach();
                await Or(serve(node.LinkService));
                _responses.Writer.TryComplete();
            }
            catch (Exception e)
            {
                _responses.Writer.TryComplete(e switch
                {
                    RpcException => e,
                    OperationCanceledException => new RpcException(Status.DefaultCancelled),
                    _ => Broken(),
                });
            }
        }

        public Task WriteAsync(T message) => WriteAsync(message, CancellationToken.None);

        public async Task WriteAsync(T message, CancellationToken cancellationToken)
        {
            await node!.Reach();
            await _responses.Writer.WriteAsync(message, cancellationToken);
        }

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            await caller.Alive();
            if (!await _responses.Reader.WaitToReadAsync(cancellationToken)
                || !_responses.Reader.TryRead(out var response))
            {
                return false;
            }

            Current = response;
            return true;
        }

        private static RpcException Broken() => new(new Status(StatusCode.Unavailable, "The connection is broken."));

        private async Task Or(Task work)
        {
            if (await Task.WhenAny(work, node!.Gone) != work)
            {
                throw Broken();
            }

            await work;
        }
    }

    private sealed class Context(CancellationToken cancellation) : ServerCallContext
    {
        protected override CancellationToken CancellationTokenCore => cancellation;

        protected override string MethodCore => "";

        protected override string HostCore => "";

        protected override string PeerCore => "";

        protected override DateTime DeadlineCore => DateTime.MaxValue;

        protected override Metadata RequestHeadersCore { get; } = [];

        protected override Metadata ResponseTrailersCore { get; } = [];

        protected override Status StatusCore { get; set; }

        protected override WriteOptions? WriteOptionsCore { get; set; }

        protected override AuthContext AuthContextCore { get; } = new(null, []);

        protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
            throw new NotSupportedException();

        protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;
    }
}
