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
        _calls = HerdChannel.Connect(address.Calls, Checked(key, "HERD_API_KEY"));
        _admin = HerdChannel.Connect(address.Admin, Checked(address.AdminKey, "HERD_ADMIN_KEY"));
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
    public static string Explain(RpcException exception) => exception.StatusCode switch
    {
        StatusCode.Unavailable when exception.GetRpcStatus() is null =>
            "no gateway responds. Start a cluster with 'herd up', or name one in HERD_GATEWAY "
            + "(such as http://127.0.0.1:8081).",
        StatusCode.Unauthenticated =>
            $"{exception.Status.Detail} (HERD_API_KEY; for operators HERD_ADMIN_KEY, or the HERD_HOME of 'herd up')",
        _ => exception.Status.Detail,
    };

    /// <exception cref="CliException">The key cannot be sent.</exception>
    private static string? Checked(string? key, string variable)
    {
        key ??= Environment.GetEnvironmentVariable(variable);
        return key is null || key.All(letter => letter is > ' ' and <= '~')
            ? key
            : throw new CliException(
                $"{variable} holds characters that no key has. Set it to the key alone.", ExitCodes.BadInput);
    }
}
