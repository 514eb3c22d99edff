using Grpc.Core;
using Grpc.Net.Client;

namespace Herd.Client;

/// <summary>Connections to gateways.</summary>
public static class HerdChannel
{
    private const int LargestAnswer = 256 << 20;

    /// <summary>A gateway that comes back is wanted back: gRPC's own pause grows to two minutes.</summary>
    private static readonly TimeSpan ReconnectAfter = TimeSpan.FromMilliseconds(250);

    /// <summary>A gateway that says nothing for so long is asked whether it is there; one that does not answer for as long again is not, and the call ends.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(5);

    /// <summary>A channel that connects when it is first used.</summary>
    /// <param name="address">Where the gateway listens for gRPC, such as http://127.0.0.1:8081.</param>
    /// <param name="key">The API key; null where none is asked for. It is the caller's own to send over a connection without TLS, as on one machine.</param>
    public static GrpcChannel Connect(string address, string? key = null)
    {
        var options = new GrpcChannelOptions
        {
            MaxReceiveMessageSize = LargestAnswer,
            InitialReconnectBackoff = ReconnectAfter,
            MaxReconnectBackoff = ReconnectAfter,
            HttpHandler = new SocketsHttpHandler
            {
                ConnectTimeout = Silence,
                EnableMultipleHttp2Connections = true,
                KeepAlivePingDelay = Silence,
                KeepAlivePingTimeout = Silence,
            },
            DisposeHttpClient = true,
        };
        if (key is not null)
        {
            options.UnsafeUseInsecureChannelCallCredentials = true;
            options.Credentials = ChannelCredentials.Create(
                address.StartsWith("https:", StringComparison.Ordinal) ? ChannelCredentials.SecureSsl : ChannelCredentials.Insecure,
                CallCredentials.FromInterceptor((_, metadata) =>
                {
                    metadata.Add("authorization", $"Bearer {key}");
                    return Task.CompletedTask;
                }));
        }

        return GrpcChannel.ForAddress(address, options);
    }
}
