using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Herd.Contracts.Errors;
using Herd.Gateway.Errors;
using BadRequest = Google.Rpc.BadRequest;
using HttpResponse = Microsoft.AspNetCore.Http.HttpResponse;
using Status = Google.Rpc.Status;

namespace Herd.Gateway.Grpc;

/// <summary>
/// Turns errors into gRPC statuses with details: always an ErrorInfo, a BadRequest for an invalid field, and a
/// RetryInfo if the time after which to try again is known.
/// </summary>
internal sealed class ErrorInterceptor(ILogger<ErrorInterceptor> logger) : Interceptor
{
    /// <summary>The types of the details.</summary>
    public static readonly TypeRegistry Types = TypeRegistry.FromFiles(ErrorDetailsReflection.Descriptor);

    private const string Domain = "herd";

    private static readonly JsonFormatter Json = new(JsonFormatter.Settings.Default.WithTypeRegistry(Types));

    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(request, context);
        }
        catch (Exception e) when (e is not RpcException)
        {
            throw Translate(e, context);
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await continuation(request, responseStream, context);
        }
        catch (Exception e) when (e is not RpcException)
        {
            throw Translate(e, context);
        }
    }

    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        ServerCallContext context,
        ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(requestStream, context);
        }
        catch (Exception e) when (e is not RpcException)
        {
            throw Translate(e, context);
        }
    }

    internal static Code CodeOf(HerdError error) => error switch
    {
        HerdError.InvalidArgument => Code.InvalidArgument,
        HerdError.ModelNotFound or HerdError.ConversationNotFound or HerdError.ResponseNotFound => Code.NotFound,
        HerdError.ContextOverflow or HerdError.PoisonTurn => Code.FailedPrecondition,
        HerdError.Overloaded or HerdError.TooLarge or HerdError.QuotaExceeded or HerdError.ReadTooSlowly =>
            Code.ResourceExhausted,
        HerdError.Unavailable or HerdError.StoreUnavailable or HerdError.Conflict or HerdError.Fenced =>
            Code.Unavailable,
        HerdError.TurnInProgress or HerdError.Superseded => Code.Aborted,
        HerdError.Unauthenticated => Code.Unauthenticated,
        HerdError.Forbidden => Code.PermissionDenied,
        HerdError.AnswerLost => Code.DataLoss,
        _ => Code.Internal,
    };

    private RpcException Translate(Exception exception, ServerCallContext context)
    {
        if (exception is OperationCanceledException && context.CancellationToken.IsCancellationRequested)
        {
            return new RpcException(new global::Grpc.Core.Status(StatusCode.Cancelled, "The call was cancelled."));
        }

        return Describe(ErrorResponses.Explain(exception, context.Method, logger)).ToRpcException();
    }

    /// <summary>True if a path is that of a call of herd.v1 as JSON over HTTP.</summary>
    public static bool IsOwn(PathString path) => path.StartsWithSegments("/herd", StringComparison.Ordinal);

    /// <summary>Writes an error as gRPC's transcoding does.</summary>
    public static Task WriteJson(HttpResponse response, HerdException error)
    {
        response.ContentType = "application/json";
        return response.WriteAsync(Json.Format(Describe(error)), CancellationToken.None);
    }

    /// <summary>The status of an error, with its details.</summary>
    internal static Status Describe(HerdException herd)
    {
        var info = new ErrorInfo { Domain = Domain, Reason = herd.Error.ToString(), Metadata = { herd.Details } };
        var status = new Status
        {
            Code = (int)CodeOf(herd.Error), Message = herd.Message, Details = { Any.Pack(info) },
        };
        if (herd.Parameter is { } field)
        {
            var violation = new BadRequest.Types.FieldViolation { Field = field, Description = herd.Message };
            status.Details.Add(Any.Pack(new BadRequest { FieldViolations = { violation } }));
        }

        if (herd.Retry is { } wait)
        {
            status.Details.Add(Any.Pack(new RetryInfo { RetryDelay = wait.ToDuration() }));
        }

        if (herd.Error == HerdError.QuotaExceeded)
        {
            var violation = new QuotaFailure.Types.Violation { Subject = "tenant", Description = herd.Message };
            status.Details.Add(Any.Pack(new QuotaFailure { Violations = { violation } }));
        }

        return status;
    }
}
