using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Herd.Contracts.Errors;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.Requests;

/// <summary>
/// Reads the JSON body of requests. <see cref="JsonCheck"/> looks at all of it first, so nothing in it can make a later
/// reader fail.
/// </summary>
internal static class RequestBody
{
    private const string Encoding = "Content-Encoding";
    private const string Type = "Content-Type";

    /// <param name="request">The request.</param>
    /// <param name="type">The type of the body.</param>
    /// <param name="what">A name of the expected body, for errors.</param>
    /// <exception cref="HerdException">The body is invalid. The error has the field.</exception>
    public static async Task<T> Read<T>(this HttpRequest request, JsonTypeInfo<T> type, string what)
        where T : class => await request.ReadOptional(type, what)
            ?? throw Bad($"The body is empty. Send the JSON of {what}.", parameter: null);

    /// <summary>As <see cref="Read"/>, but an empty body is null.</summary>
    public static async Task<T?> ReadOptional<T>(this HttpRequest request, JsonTypeInfo<T> type, string what)
        where T : class
    {
        var body = await request.ReadText();
        return body.Length == 0 ? null : Parse(body.Span, type, what);
    }

    /// <summary>The text of a body in UTF-8, without a byte order mark. Its limit is Gateway:MaxBodyBytes.</summary>
    /// <exception cref="HerdException">It is in another coding, or its chunks are malformed.</exception>
    public static async Task<ReadOnlyMemory<byte>> ReadText(this HttpRequest request)
    {
        CheckHeaders(request);
        var body = await ReadBytes(request);
        return body.Span.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]) ? body[3..] : body;
    }

    private static T Parse<T>(ReadOnlySpan<byte> body, JsonTypeInfo<T> type, string what)
    {
        JsonCheck.Check(body, type, what);
        try
        {
            return JsonSerializer.Deserialize(body, type)!;
        }
        catch (JsonException e)
        {
            throw Bad($"The body is not the JSON of {what}, at {e.Path ?? "$"}.", e.Path?.TrimStart('$', '.'));
        }
    }

    private static void CheckHeaders(HttpRequest request)
    {
        var encoding = request.Headers.ContentEncoding.ToString();
        Require(
            encoding is "" or "identity",
            $"'{Encoding}' must be left out; compressed bodies are not read.",
            Encoding);
        var charset = request.GetTypedHeaders().ContentType?.Charset.Value?.Trim('"');
        Require(
            charset is null
                || charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase)
                || charset.Equals("us-ascii", StringComparison.OrdinalIgnoreCase),
            $"'{Type}' must have the charset utf-8, or none.",
            Type);
    }

    private static async Task<ReadOnlyMemory<byte>> ReadBytes(HttpRequest request)
    {
        var body = new MemoryStream();
        try
        {
            await request.Body.CopyToAsync(body, request.HttpContext.RequestAborted);
        }
        catch (IOException e) when (
            e is not BadHttpRequestException && !request.HttpContext.RequestAborted.IsCancellationRequested)
        {
            // Kestrel reports some malformed chunks so.
            throw Bad("The body cannot be read: its chunks are malformed.", parameter: null);
        }

        return body.GetBuffer().AsMemory(0, (int)body.Length);
    }
}
