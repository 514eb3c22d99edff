using System.Globalization;
using Google.Protobuf;
using Herd.Contracts.Errors;
using Herd.Gateway.Anthropic;
using Herd.Gateway.Grpc;
using Herd.Gateway.Ollama;
using Herd.Gateway.OpenAi;
using Herd.Grains.Hosting;
using StackExchange.Redis;

namespace Herd.Gateway.Errors;

/// <summary>Writes errors in the form of the requested interface.</summary>
internal sealed class ErrorResponses(RequestDelegate next, ILogger<ErrorResponses> logger)
{
    public async Task Invoke(HttpContext context)
    {
        try
        {
            await next(context);
        }
        catch (Exception e) when (
            e is OperationCanceledException or IOException && context.RequestAborted.IsCancellationRequested)
        {
            // The client is gone.
        }
        catch (BadHttpRequestException e)
        {
            var error = e.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? HerdError.TooLarge
                : HerdError.InvalidArgument;
            await Write(context, new HerdException(error, e.Message));
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            await Write(context, Explain(e, context.Request.Path, logger));
        }
    }

    /// <summary>
    /// The error for the client. An unexpected exception is logged; the client sees only that the gateway failed.
    /// </summary>
    public static HerdException Explain(Exception exception, string path, ILogger logger)
    {
        switch (exception)
        {
            case HerdException herd:
                return FieldNames.Rename(herd, path);
            case RedisException or RedisTimeoutException:
                return new HerdException(
                    HerdError.StoreUnavailable, "The store does not respond. Send the request again later.");
            case Exception when CallFailure.IsTransient(exception):
                return new HerdException(
                    HerdError.Unavailable,
                    $"A process of the cluster cannot be reached ({exception.GetType().Name}). "
                    + "Send the request again later.");
            default:
                ErrorLog.Unexpected(logger, exception, path);
                return new HerdException(HerdError.Internal, "The gateway failed. Its log has the reason.");
        }
    }

    public static int StatusOf(HerdError error) => error switch
    {
        HerdError.InvalidArgument or HerdError.ContextOverflow => StatusCodes.Status400BadRequest,
        HerdError.Unauthenticated => StatusCodes.Status401Unauthorized,
        HerdError.Forbidden => StatusCodes.Status403Forbidden,
        HerdError.ModelNotFound or HerdError.ConversationNotFound or HerdError.ResponseNotFound =>
            StatusCodes.Status404NotFound,
        HerdError.TurnInProgress or HerdError.AnswerLost or HerdError.Superseded => StatusCodes.Status409Conflict,
        HerdError.ReadTooSlowly => StatusCodes.Status408RequestTimeout,
        HerdError.TooLarge => StatusCodes.Status413PayloadTooLarge,
        HerdError.PoisonTurn => StatusCodes.Status422UnprocessableEntity,
        HerdError.Overloaded or HerdError.QuotaExceeded => StatusCodes.Status429TooManyRequests,
        HerdError.Internal => StatusCodes.Status500InternalServerError,
        _ => StatusCodes.Status503ServiceUnavailable,
    };

    private static Task Write(HttpContext context, HerdException error)
    {
        if (context.Request.ContentType?.StartsWith("application/grpc", StringComparison.Ordinal) == true)
        {
            return WriteGrpc(context, error);
        }

        context.Response.StatusCode = StatusOf(error.Error);
        if (context.Response.StatusCode
            is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable)
        {
            context.Response.Headers.RetryAfter =
                Math.Max(1, Math.Ceiling(error.Retry?.TotalSeconds ?? 0)).ToString(CultureInfo.InvariantCulture);
        }

        var path = context.Request.Path;
        return AnthropicEndpoints.IsOwn(path) ? AnthropicErrors.Write(context.Response, error)
            : OllamaEndpoints.IsOwn(path) ? OllamaErrors.Write(context.Response, error)
            : ErrorInterceptor.IsOwn(path) ? ErrorInterceptor.WriteJson(context.Response, error)
            : OpenAiErrors.Write(context.Response, error);
    }

    private static Task WriteGrpc(HttpContext context, HerdException error)
    {
        var status = ErrorInterceptor.Describe(error);
        context.Response.ContentType = context.Request.ContentType;
        context.Response.Headers["grpc-status"] = status.Code.ToString(CultureInfo.InvariantCulture);
        context.Response.Headers["grpc-message"] = Uri.EscapeDataString(status.Message);
        context.Response.Headers["grpc-status-details-bin"] = Convert.ToBase64String(status.ToByteArray());
        return Task.CompletedTask;
    }
}

internal static partial class ErrorLog
{
    [LoggerMessage(EventId = 700, Level = LogLevel.Error, Message = "The request {Path} failed")]
    public static partial void Unexpected(ILogger logger, Exception exception, string path);
}
