using Google.Protobuf;
using Grpc.Core;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;

namespace Herd.Gateway.Grpc;

/// <summary>
/// Binds a service so that a message which is not one of its protos is the caller's fault. gRPC itself reads messages
/// before any interceptor runs, and reports such a message as an unhandled exception of the service.
/// </summary>
internal sealed class StrictBinder(ServiceBinderBase binder) : ServiceBinderBase
{
    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler) =>
        binder.AddMethod(Strict(method), handler);

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler) =>
        binder.AddMethod(Strict(method), handler);

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler) =>
        binder.AddMethod(Strict(method), handler);

    private static Method<TRequest, TResponse> Strict<TRequest, TResponse>(Method<TRequest, TResponse> method)
    {
        var read = method.RequestMarshaller.ContextualDeserializer;
        return new Method<TRequest, TResponse>(
            method.Type,
            method.ServiceName,
            method.Name,
            new Marshaller<TRequest>(method.RequestMarshaller.ContextualSerializer, message =>
            {
                try
                {
                    return read(message);
                }
                catch (InvalidProtocolBufferException e)
                {
                    throw new RpcException(new Status(
                        StatusCode.InvalidArgument,
                        $"The message is not the request of {method.Name}: {e.Message} Send it as the proto says."));
                }
            }),
            method.ResponseMarshaller);
    }
}

/// <summary>The base of <see cref="ConversationService"/>, bound by a <see cref="StrictBinder"/>.</summary>
[BindServiceMethod(typeof(StrictConversationService), nameof(BindService))]
internal abstract class StrictConversationService : V1.ConversationService.ConversationServiceBase
{
    /// <summary>gRPC finds it by its name.</summary>
    public static ServiceDescriptor Descriptor => V1.ConversationService.Descriptor;

    public static void BindService(
        ServiceBinderBase binder, V1.ConversationService.ConversationServiceBase service) =>
        V1.ConversationService.BindService(new StrictBinder(binder), service);
}

/// <summary>The base of <see cref="ClusterService"/>, bound by a <see cref="StrictBinder"/>.</summary>
[BindServiceMethod(typeof(StrictClusterService), nameof(BindService))]
internal abstract class StrictClusterService : V1.ClusterService.ClusterServiceBase
{
    /// <summary>gRPC finds it by its name.</summary>
    public static ServiceDescriptor Descriptor => V1.ClusterService.Descriptor;

    public static void BindService(ServiceBinderBase binder, V1.ClusterService.ClusterServiceBase service) =>
        V1.ClusterService.BindService(new StrictBinder(binder), service);
}
