using Grpc.Core;
using Grpc.Net.Client;
using Herd.Cli.Processes;
using Herd.V1;

namespace Herd.Cli;

/// <summary>A connection to a gateway: $HERD_GATEWAY, else the cluster that 'herd up' runs here.</summary>
internal sealed class Gateway : IDisposable
{
    private const string Default = "http://127.0.0.1:8081";

    private static readonly TimeSpan ReconnectAfter = TimeSpan.FromMilliseconds(250);

    private readonly GrpcChannel _channel;

    public Gateway(string? address = null)
    {
        address ??= Environment.GetEnvironmentVariable("HERD_GATEWAY") ?? RunState.TryRead()?.Grpc ?? Default;
        var key = Environment.GetEnvironmentVariable("HERD_API_KEY");
        var options = new GrpcChannelOptions
        {
            MaxReceiveMessageSize = 256 << 20,
            InitialReconnectBackoff = ReconnectAfter,
            MaxReconnectBackoff = ReconnectAfter,
        };
        if (key is not null)
        {
            // The key is the caller's own to send over a connection without TLS, as on this machine.
            options.UnsafeUseInsecureChannelCallCredentials = true;
            options.Credentials = ChannelCredentials.Create(
                address.StartsWith("https:", StringComparison.Ordinal) ? ChannelCredentials.SecureSsl : ChannelCredentials.Insecure,
                CallCredentials.FromInterceptor((_, metadata) =>
                {
                    metadata.Add("authorization", $"Bearer {key}");
                    return Task.CompletedTask;
                }));
        }

        _channel = GrpcChannel.ForAddress(address, options);
        Conversations = new ConversationService.ConversationServiceClient(_channel);
        Cluster = new ClusterService.ClusterServiceClient(_channel);
    }

    public ConversationService.ConversationServiceClient Conversations { get; }

    public ClusterService.ClusterServiceClient Cluster { get; }

    public void Dispose() => _channel.Dispose();

    /// <summary>An error in one line.</summary>
    public static string Explain(RpcException exception) =>
        exception.StatusCode == StatusCode.Unavailable && exception.GetRpcStatus() is null
            ? "no gateway answers. Start a cluster with 'herd up', or name one in HERD_GATEWAY (such as http://127.0.0.1:8081)."
            : exception.Status.Detail;
}
