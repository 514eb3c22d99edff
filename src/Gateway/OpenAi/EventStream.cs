using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Herd.Contracts.Errors;

namespace Herd.Gateway.OpenAi;

/// <summary>Server-sent events as OpenAI sends them.</summary>
internal sealed class EventStream
{
    private readonly HttpContext _context;

    public EventStream(HttpContext context)
    {
        _context = context;
        Prepare(context);
    }

    /// <summary>The headers of any stream of events.</summary>
    public static void Prepare(HttpContext context)
    {
        context.Response.ContentType = "text/event-stream; charset=utf-8";
        context.Response.Headers.CacheControl = "no-cache";

        // Proxies must pass on each event at once.
        context.Response.Headers["X-Accel-Buffering"] = "no";
    }

    /// <param name="chunk">What is sent.</param>
    /// <param name="position">Where the stream is after it, for a client that comes back; null does not say.</param>
    public Task Write(ChatCompletion chunk, StreamPosition? position = null) =>
        Write(chunk, OpenAiJson.Default.ChatCompletion, position);

    public Task WriteError(HerdException error) =>
        Write(new ErrorBody(OpenAiErrors.Describe(error)), OpenAiJson.Default.ErrorBody);

    public Task Done() => _context.Response.WriteAsync("data: [DONE]\n\n", _context.RequestAborted);

    public Task Write<T>(T value, JsonTypeInfo<T> type, StreamPosition? position = null) => _context.Response.WriteAsync(
        $"{(position is null ? "" : $"id: {position}\n")}data: {JsonSerializer.Serialize(value, type)}\n\n", _context.RequestAborted);
}
