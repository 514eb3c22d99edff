using Herd.Contracts.Errors;

namespace Herd.Gateway.Anthropic;

/// <summary>Writes Anthropic's error object.</summary>
internal static class AnthropicErrors
{
    /// <summary>Anthropic's own status.</summary>
    private const int Overloaded = 529;

    public static Task Write(HttpResponse response, HerdException error)
    {
        if (error.Error is HerdError.Unavailable or HerdError.StoreUnavailable)
        {
            response.StatusCode = Overloaded;
        }

        return response.WriteAsJsonAsync(
            Describe(error), AnthropicJson.Default.ErrorBody, cancellationToken: CancellationToken.None);
    }

    public static ErrorBody Describe(HerdException error) =>
        new("error", new ErrorObject(TypeOf(error.Error), error.Message));

    private static string TypeOf(HerdError error) => error switch
    {
        HerdError.InvalidArgument or HerdError.ContextOverflow or HerdError.PoisonTurn => "invalid_request_error",
        HerdError.Unauthenticated => "authentication_error",
        HerdError.Forbidden => "permission_error",
        HerdError.ModelNotFound or HerdError.ConversationNotFound or HerdError.ResponseNotFound => "not_found_error",
        HerdError.ReadTooSlowly => "timeout_error",
        HerdError.TooLarge => "request_too_large",
        HerdError.Overloaded or HerdError.QuotaExceeded => "rate_limit_error",
        HerdError.Unavailable or HerdError.StoreUnavailable => "overloaded_error",
        _ => "api_error",
    };
}
