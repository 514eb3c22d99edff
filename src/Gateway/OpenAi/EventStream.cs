using Herd.Contracts.Errors;
using Herd.Gateway.Hosting;

namespace Herd.Gateway.OpenAi;

/// <summary>A completion's chunks as OpenAI sends them.</summary>
internal sealed class EventStream(HttpContext context)
{
    private readonly ServerEvents _events = new(context);

    /// <param name="chunk">What is sent.</param>
    /// <param name="position">Where the stream is after it, for a client that comes back; null does not say.</param>
    public Task Write(ChatCompletion chunk, StreamPosition? position = null) =>
        _events.Write(chunk, OpenAiJson.Default.ChatCompletion, id: position?.ToString());

    /// <summary>The same of a text completion.</summary>
    public Task Write(TextCompletion chunk) => _events.Write(chunk, OpenAiJson.Default.TextCompletion);

    public Task WriteError(HerdException error) => _events.Write(new ErrorBody(OpenAiErrors.Describe(error)), OpenAiJson.Default.ErrorBody);

    public Task Done() => _events.Write("[DONE]");
}
