using Grpc.Core;
using Grpc.Net.Client;

namespace Herd.Client;

/// <summary>Creates channels to gateways.</summary>
public static class HerdChannel
{
    private const int MaxMessageBytes = 256 << 20;

    /// <summary>The delay between connection attempts. gRPC's default grows to two minutes.</summary>
    private static readonly TimeSpan ReconnectAfter = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// After so long without data the gateway is pinged. After as long without a response the call ends.
    /// </summary>
    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(5);

    /// <summary>A channel that connects when it is first used.</summary>
    /// <param name="address">The gRPC address of the gateway, such as http://127.0.0.1:8081.</param>
    /// <param name="key">
    /// The API key; null if the gateway needs none. It is sent over connections without TLS too.
    /// </param>
    public static GrpcChannel Connect(string address, string? key = null)
    {
        var options = new GrpcChannelOptions
        {
            MaxReceiveMessageSize = MaxMessageBytes,
            InitialReconnectBackoff = ReconnectAfter,
            MaxReconnectBackoff = ReconnectAfter,
            HttpHandler = new SocketsHttpHandler
            {
                ConnectTimeout = PingDelay,
                EnableMultipleHttp2Connections = true,
                KeepAlivePingDelay = PingDelay,
                KeepAlivePingTimeout = PingDelay,
            },
            DisposeHttpClient = true,
        };
        if (key is not null)
        {
            options.UnsafeUseInsecureChannelCallCredentials = true;
            options.Credentials = ChannelCredentials.Create(
                address.StartsWith("https:", StringComparison.Ordinal)
                    ? ChannelCredentials.SecureSsl
                    : ChannelCredentials.Insecure,
                CallCredentials.FromInterceptor((_, metadata) =>
                {
                    metadata.Add("authorization", $"Bearer {key}");
                    return Task.CompletedTask;
                }));
        }

        return GrpcChannel.ForAddress(address, options);
    }
}
