using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Herd.Gateway.Hosting;

/// <summary>
/// Writes server-sent events. JSON goes as UTF-8 into the response's buffer, without copies. Write one event at a time
/// (docs/decisions/server-sent-events.md).
/// </summary>
internal sealed class ServerEvents
{
    private static readonly JsonWriterOptions Unchecked = new() { SkipValidation = true };

    private readonly HttpContext _context;

    public ServerEvents(HttpContext context)
    {
        _context = context;
        context.Response.ContentType = "text/event-stream; charset=utf-8";
        context.Response.Headers.CacheControl = "no-cache";

        // Proxies must pass on each event at once.
        context.Response.Headers["X-Accel-Buffering"] = "no";
    }

    /// <summary>Sends an event of JSON.</summary>
    /// <param name="value">The value.</param>
    /// <param name="type">The JSON type of the value.</param>
    /// <param name="kind">The event's name; null means none.</param>
    /// <param name="id">The event's id; null means none.</param>
    public async Task Write<T>(T value, JsonTypeInfo<T> type, string? kind = null, string? id = null)
    {
        var body = _context.Response.BodyWriter;
        Field(body, "id: "u8, id);
        Field(body, "event: "u8, kind);
        body.Write("data: "u8);
        using (var json = new Utf8JsonWriter(body, Unchecked))
        {
            JsonSerializer.Serialize(json, value, type);
        }

        body.Write("\n\n"u8);
        await Flush();
    }

    /// <summary>Sends an event of plain text.</summary>
    public async Task Write(string text)
    {
        Field(_context.Response.BodyWriter, "data: "u8, text);
        _context.Response.BodyWriter.Write("\n"u8);
        await Flush();
    }

    private Task Flush() =>
        _context.Response.BodyWriter.FlushAsync(_context.RequestAborted).AsTask().WithReadTimeout(_context);

    private static void Field(IBufferWriter<byte> body, ReadOnlySpan<byte> name, string? value)
    {
        if (value is not null)
        {
            body.Write(name);
            Encoding.UTF8.GetBytes(value, body);
            body.Write("\n"u8);
        }
    }
}
