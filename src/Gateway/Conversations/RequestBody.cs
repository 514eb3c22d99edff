using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Herd.Contracts.Errors;

namespace Herd.Gateway.Conversations;

/// <summary>Reads the JSON body of requests.</summary>
internal static class RequestBody
{
    /// <param name="request">The request.</param>
    /// <param name="type">The type of the body.</param>
    /// <param name="what">A name of the expected body, for errors.</param>
    /// <exception cref="HerdException">The body is invalid. The message has the position.</exception>
    public static async Task<T> Read<T>(this HttpRequest request, JsonTypeInfo<T> type, string what)
        where T : class
    {
        try
        {
            return await JsonSerializer.DeserializeAsync(request.Body, type, request.HttpContext.RequestAborted)
                ?? throw new HerdException(HerdError.InvalidArgument, "The body is null; send a JSON object.");
        }
        catch (JsonException e)
        {
            // The reader has no type of its own for this error.
            var fault = e.Message.Contains("maximum configured depth", StringComparison.Ordinal)
                ? "is nested too deeply for"
                : "is not";
            throw new HerdException(
                HerdError.InvalidArgument,
                $"The body {fault} the JSON of {what}, at {e.Path ?? "$"} (line {e.LineNumber + 1}).",
                e.Path is { Length: > 2 } path ? path[2..] : null);
        }
    }
}
