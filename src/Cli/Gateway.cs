using Grpc.Core;
using Grpc.Net.Client;
using Herd.Cli.Processes;
using Herd.Client;
using Herd.V1;

namespace Herd.Cli;

/// <summary>A connection to a gateway, and to its port for operators.</summary>
internal sealed class Gateway : IDisposable
{
    private readonly GrpcChannel _calls;
    private readonly GrpcChannel _admin;

    /// <param name="address">
    /// The addresses of the gateway; null means HERD_GATEWAY and HERD_ADMIN, or this machine's cluster.
    /// </param>
    /// <param name="key">The caller's API key; null means HERD_API_KEY.</param>
    public Gateway(GatewayAddress? address = null, string? key = null)
    {
        address ??= GatewayAddress.Configured();
        _calls = HerdChannel.Connect(address.Calls, key ?? Environment.GetEnvironmentVariable("HERD_API_KEY"));
        _admin = HerdChannel.Connect(
            address.Admin, address.AdminKey ?? Environment.GetEnvironmentVariable("HERD_ADMIN_KEY"));
        Conversations = new ConversationService.ConversationServiceClient(_calls);
        Cluster = new ClusterService.ClusterServiceClient(_admin);
    }

    public ConversationService.ConversationServiceClient Conversations { get; }

    public ClusterService.ClusterServiceClient Cluster { get; }

    public void Dispose()
    {
        _calls.Dispose();
        _admin.Dispose();
    }

    /// <summary>Describes an error in one line.</summary>
    public static string Explain(RpcException exception) =>
        exception.StatusCode == StatusCode.Unavailable && exception.GetRpcStatus() is null
            ? "no gateway responds. Start a cluster with 'herd up', or name one in HERD_GATEWAY "
                + "(such as http://127.0.0.1:8081)."
            : exception.Status.Detail;
}
