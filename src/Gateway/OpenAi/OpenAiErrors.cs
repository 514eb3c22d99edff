using System.Globalization;
using Herd.Contracts.Errors;

namespace Herd.Gateway.OpenAi;

/// <summary>Turns errors into OpenAI's error object, with its types and codes.</summary>
internal sealed class OpenAiErrors(RequestDelegate next, ILogger<OpenAiErrors> logger)
{
    private const string RetryAfterSeconds = "1";

    public async Task Invoke(HttpContext context)
    {
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is left to answer.
        }
        catch (BadHttpRequestException e)
        {
            var error = e.StatusCode == StatusCodes.Status413PayloadTooLarge ? HerdError.TooLarge : HerdError.InvalidArgument;
            await Write(context, new HerdException(error, e.Message));
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            await Write(context, Explain(e, context.Request.Path, logger));
        }
    }

    public static ErrorObject Describe(HerdException error) => new(
        error.Message,
        StatusOf(error.Error) >= 500 ? "server_error" : "invalid_request_error",
        error.Parameter,
        CodeOf(error.Error),
        Number(error, "prompt_tokens"),
        Number(error, "context_tokens"));

    /// <summary>The error as the caller is told it; what was not foreseen is logged and told as no more than that.</summary>
    public static HerdException Explain(Exception exception, string path, ILogger logger)
    {
        if (exception is HerdException herd)
        {
            return herd;
        }

        OpenAiLog.Unexpected(logger, exception, path);
        return new HerdException(HerdError.Internal, "The gateway failed; its log says why.");
    }

    private static async Task Write(HttpContext context, HerdException error)
    {
        context.Response.StatusCode = StatusOf(error.Error);
        if (context.Response.StatusCode is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable)
        {
            context.Response.Headers.RetryAfter = RetryAfterSeconds;
        }

        await context.Response.WriteAsJsonAsync(
            new ErrorBody(Describe(error)), OpenAiJson.Default.ErrorBody, cancellationToken: CancellationToken.None);
    }

    private static int StatusOf(HerdError error) => error switch
    {
        HerdError.InvalidArgument or HerdError.ContextOverflow => StatusCodes.Status400BadRequest,
        HerdError.Unauthenticated => StatusCodes.Status401Unauthorized,
        HerdError.Forbidden => StatusCodes.Status403Forbidden,
        HerdError.ModelNotFound or HerdError.ConversationNotFound or HerdError.ResponseNotFound => StatusCodes.Status404NotFound,
        HerdError.TurnInProgress or HerdError.AnswerLost or HerdError.Superseded => StatusCodes.Status409Conflict,
        HerdError.TooLarge => StatusCodes.Status413PayloadTooLarge,
        HerdError.Overloaded => StatusCodes.Status429TooManyRequests,
        HerdError.Internal => StatusCodes.Status500InternalServerError,
        _ => StatusCodes.Status503ServiceUnavailable,
    };

    private static string? CodeOf(HerdError error) => error switch
    {
        HerdError.ModelNotFound => "model_not_found",
        HerdError.ConversationNotFound => "conversation_not_found",
        HerdError.ResponseNotFound => "response_not_found",
        HerdError.Superseded => "superseded",
        HerdError.ContextOverflow => "context_length_exceeded",
        HerdError.Overloaded => "overloaded",
        HerdError.Unauthenticated => "invalid_api_key",
        HerdError.TooLarge => "request_too_large",
        HerdError.TurnInProgress => "turn_in_progress",
        HerdError.AnswerLost => "answer_lost",
        HerdError.InvalidArgument => null,
        HerdError.Internal => "internal_error",
        _ => "unavailable",
    };

    private static int? Number(HerdException error, string name) =>
        error.Details.TryGetValue(name, out var value) ? int.Parse(value, CultureInfo.InvariantCulture) : null;
}

internal static partial class OpenAiLog
{
    [LoggerMessage(EventId = 700, Level = LogLevel.Error, Message = "{Path} failed")]
    public static partial void Unexpected(ILogger logger, Exception exception, string path);
}
