using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Net.Client;
using Herd.Grains.Hosting;

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

    /// <summary>The pause between two attempts to connect. By default it grows to two minutes.</summary>
    private static readonly TimeSpan ReconnectAfter = TimeSpan.FromMilliseconds(250);

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
        InitialReconnectBackoff = ReconnectAfter,
        MaxReconnectBackoff = ReconnectAfter,
        HttpHandler = new SocketsHttpHandler
        {
            ConnectTimeout = ConnectTimeout,
            EnableMultipleHttp2Connections = true,
            SslOptions = identity.ForClients(),
        },
        DisposeHttpClient = true,
    });
}
