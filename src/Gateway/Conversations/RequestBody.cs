using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Herd.Contracts.Errors;

namespace Herd.Gateway.Conversations;

/// <summary>Reads the JSON of requests.</summary>
internal static class RequestBody
{
    /// <param name="request">The request.</param>
    /// <param name="type">What its body is read as.</param>
    /// <param name="what">What it should be, for errors.</param>
    /// <exception cref="HerdException">It is not that; says where.</exception>
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
            throw new HerdException(
                HerdError.InvalidArgument,
                $"The body is not the JSON of {what}, at {e.Path ?? "$"} (line {e.LineNumber + 1}).",
                e.Path is { Length: > 2 } path ? path[2..] : null);
        }
    }
}
