using Google.Protobuf;
using Grpc.Core;
using Herd.Contracts.Nodes;
using Herd.Grains.Hosting.Identity;
using Herd.Grains.Nodes.Link;
using Herd.Inference.Kv;
using Herd.Inference.Kv.Snapshots;
using Herd.Inference.Runtime;
using Herd.Link.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Serialization;

namespace Herd.Grains.Tests.Nodes.Link;

/// <summary>Pulling KV caches over real connections, from a node that loses them.</summary>
public sealed class NodeLinksTests : IAsyncLifetime
{
    private const string Session = "b/t/c/m";
    private const int StateBytes = 300_000;
    private const int PieceBytes = 10_000;

    private static readonly SnapshotBinding Binding = new(new byte[32], "layout", new byte[32]);

    private readonly string _key = Path.GetTempFileName();
    private readonly FlakyNode _node = new();
    private WebApplication _server = null!;
    private ClusterIdentity _identity = null!;
    private LinkChannels _channels = null!;
    private NodeLinks _links = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Address =>
        _server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllBytesAsync(_key, new byte[ClusterKey.MinBytes], Cancellation);
        _identity = new ClusterIdentity(new ClusterKey(_key));
        _server = await Serve(port: 0);
        _channels = new LinkChannels(_identity);
        _links = new NodeLinks(
            _channels,
            _server.Services.GetRequiredService<Serializer<NodeReport>>(),
            TimeProvider.System);
    }

    private async Task<WebApplication> Serve(int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, port, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UseHttps(_identity.ForServers());
        }));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(_node);
        builder.Services.AddSerializer();
        var server = builder.Build();
        server.MapGrpcService<FlakyNode>();
        await server.StartAsync(Cancellation);
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        _channels.Dispose();
        await _server.DisposeAsync();
        _identity.Dispose();
        File.Delete(_key);
    }

    [Fact]
    public async Task Pull_FromAStranger_IsRefused()
    {
        var other = Path.GetTempFileName();
        await File.WriteAllBytesAsync(other, Enumerable.Repeat((byte)1, ClusterKey.MinBytes).ToArray(), Cancellation);
        using var stranger = new ClusterIdentity(new ClusterKey(other));
        using var channels = new LinkChannels(stranger);
        var links = new NodeLinks(
            channels, _server.Services.GetRequiredService<Serializer<NodeReport>>(), TimeProvider.System);
        using var receiver = new SnapshotReceiver(Session, "t", Binding, StateBytes);

        await Assert.ThrowsAsync<RpcException>(() => links.Pull(Address, "a/t/c/m", Session, receiver, Cancellation));

        Assert.Empty(_node.Asked);
        File.Delete(other);
    }

    [Fact]
    public async Task Pull_ConnectionBreaksInTheMiddle_TheRestComesOverAnother()
    {
        _node.BreakAfter = [70_000, 180_000];
        using var receiver = new SnapshotReceiver(Session, "t", Binding, StateBytes);

        var (state, _) = await _links.Pull(Address, "a/t/c/m", Session, receiver, Cancellation);

        using (state)
        {
            Assert.Equal(FlakyNode.State(), state.State.From(0).ToArray());
            Assert.Equal([0, 70_000, 180_000], _node.Asked);
            Assert.Equal(StateBytes, _node.Written);
            state.State.Dispose();
        }
    }

    [Fact]
    public async Task Pull_NothingComesAnyMore_GivesUp()
    {
        _node.BreakAfter = [0];
        using var receiver = new SnapshotReceiver(Session, "t", Binding, StateBytes);

        var error = await Assert.ThrowsAsync<RpcException>(
            () => _links.Pull(Address, "a/t/c/m", Session, receiver, Cancellation));

        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
    }

    /// <summary>A node that was just started is reached at once, not after a pause between connections.</summary>
    [Fact]
    public async Task Pull_NodeListensSinceTheFailureBefore_ConnectsAtOnce()
    {
        var address = new Uri(Address);
        await _server.DisposeAsync();
        using var receiver = new SnapshotReceiver(Session, "t", Binding, StateBytes);
        await Assert.ThrowsAsync<RpcException>(() => Pull());
        _server = await Serve(address.Port);

        var (state, _) = await Pull();

        state.State.Dispose();
        state.Dispose();

        Task<(SessionState State, TimeSpan Transfer)> Pull() =>
            _links.Pull(address.OriginalString, "a/t/c/m", Session, receiver, Cancellation);
    }

    /// <summary>Sends a KV cache and loses the connection at given positions, each once.</summary>
    private sealed class FlakyNode : Herd.Link.V1.NodeLinkService.NodeLinkServiceBase
    {
        public List<long> BreakAfter { get; set; } = [];

        public List<long> Asked { get; } = [];

        public long Written { get; private set; }

        public static byte[] State() => [.. Enumerable.Range(0, StateBytes).Select(i => (byte)(i * 31))];

        public override async Task PullSession(
            PullSessionRequest request,
            IServerStreamWriter<PullSessionResponse> responseStream,
            ServerCallContext context)
        {
            Asked.Add(request.Received);
            using var buffer = new StateBuffer(StateBytes);
            State().CopyTo(buffer.From(0));
            using var state = new SessionState(request.Session, "t", prefix: 0, [1, 2], buffer);
            using var sender = new SnapshotSender(state, request.AsSession, Binding);
            await responseStream.WriteAsync(new PullSessionResponse { Header = ByteString.CopyFrom(sender.Header) });
            sender.Skip(request.Received);
            for (var at = request.Received; ByteString.CopyFrom(
                sender.Next(PieceBytes)) is { IsEmpty: false } piece; at += piece.Length)
            {
                if (BreakAfter.FirstOrDefault(-1) == at)
                {
                    BreakAfter.RemoveAt(0);
                    throw new RpcException(new Status(StatusCode.Unavailable, "lost"));
                }

                Written += piece.Length;
                await responseStream.WriteAsync(new PullSessionResponse { State = piece });
            }

            await responseStream.WriteAsync(new PullSessionResponse { Seal = ByteString.CopyFrom(sender.Seal()) });
        }
    }
}
