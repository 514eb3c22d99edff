using System.Globalization;
using Herd.Contracts.Errors;
using Herd.Gateway.Errors;

namespace Herd.Gateway.OpenAi;

/// <summary>OpenAI's error object, with its types and codes.</summary>
internal static class OpenAiErrors
{
    public static ErrorObject Describe(HerdException error) => new(
        error.Message,
        ErrorResponses.StatusOf(error.Error) >= 500 ? "server_error" : "invalid_request_error",
        error.Parameter,
        CodeOf(error.Error),
        Number(error, "prompt_tokens"),
        Number(error, "context_tokens"));

    public static Task Write(HttpResponse response, HerdException error) => response.WriteAsJsonAsync(
        new ErrorBody(Describe(error)), OpenAiJson.Default.ErrorBody, cancellationToken: CancellationToken.None);

    private static string? CodeOf(HerdError error) => error switch
    {
        HerdError.ModelNotFound => "model_not_found",
        HerdError.ConversationNotFound => "conversation_not_found",
        HerdError.ResponseNotFound => "response_not_found",
        HerdError.Superseded => "superseded",
        HerdError.ContextOverflow => "context_length_exceeded",
        HerdError.Overloaded => "overloaded",
        HerdError.QuotaExceeded => "rate_limit_exceeded",
        HerdError.Unauthenticated => "invalid_api_key",
        HerdError.Forbidden => "forbidden",
        HerdError.ReadTooSlowly => "read_too_slowly",
        HerdError.TooLarge => "request_too_large",
        HerdError.TurnInProgress => "turn_in_progress",
        HerdError.AnswerLost => "answer_lost",
        HerdError.PoisonTurn => "poison_turn",
        HerdError.InvalidArgument => null,
        HerdError.Internal => "internal_error",
        _ => "unavailable",
    };

    private static int? Number(HerdException error, string name) =>
        error.Details.TryGetValue(name, out var value) ? int.Parse(value, CultureInfo.InvariantCulture) : null;
}
