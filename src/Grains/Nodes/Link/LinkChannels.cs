using System.Collections.Concurrent;
using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using Herd.Grains.Hosting.Identity;

namespace Herd.Grains.Nodes.Link;

/// <summary>Connects to the links of nodes.</summary>
internal interface ILinkTransport
{
    /// <param name="address">The address of a node's link.</param>
    CallInvoker To(string address);
}

/// <summary>Connects over HTTP/2 with mutual TLS under the cluster's key.</summary>
internal sealed class LinkChannels(ClusterIdentity identity) : ILinkTransport, IDisposable
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, GrpcChannel> _channels = new();

    public CallInvoker To(string address) => _channels.GetOrAdd(address, Open).CreateCallInvoker();

    public void Dispose()
    {
        foreach (var channel in _channels.Values)
        {
            channel.Dispose();
        }
    }

    private GrpcChannel Open(string address) => GrpcChannel.ForAddress(address, new GrpcChannelOptions
    {
        HttpHandler = new SocketsHttpHandler
        {
            ConnectTimeout = ConnectTimeout,
            ConnectCallback = Connect,
            EnableMultipleHttp2Connections = true,
            SslOptions = identity.ForClients(),
        },
        DisposeHttpClient = true,
    });

    /// <summary>
    /// Connects for a call. With a callback, a channel never connects by itself: such a connection has no TLS until the
    /// first call, and the other process waits for it for 10 s when it stops.
    /// </summary>
    private static async ValueTask<Stream> Connect(
        SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
