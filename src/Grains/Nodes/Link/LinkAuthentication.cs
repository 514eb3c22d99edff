using System.Security.Cryptography;
using System.Text;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Herd.Grains.Hosting;

namespace Herd.Grains.Nodes.Link;

/// <summary>Lets in only who knows the cluster's key.</summary>
internal sealed class LinkAuthentication(ClusterKey key) : Interceptor
{
    public const string Header = "herd-cluster";

    private readonly byte[] _token = Encoding.ASCII.GetBytes(key.LinkToken);

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        var sent = Encoding.ASCII.GetBytes(context.RequestHeaders.GetValue(Header) ?? "");
        return CryptographicOperations.FixedTimeEquals(sent, _token)
            ? continuation(request, responseStream, context)
            : throw new RpcException(new Status(StatusCode.Unauthenticated, "The call does not carry this cluster's token."));
    }
}
