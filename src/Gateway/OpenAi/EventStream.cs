using Herd.Contracts.Errors;
using Herd.Gateway.Hosting;

namespace Herd.Gateway.OpenAi;

/// <summary>Sends a completion's chunks as server-sent events.</summary>
internal sealed class EventStream(HttpContext context)
{
    private readonly ServerEvents _events = new(context);

    /// <param name="chunk">The chunk.</param>
    /// <param name="position">
    /// The stream's position after the chunk, for a client that resumes; null if it cannot be resumed.
    /// </param>
    public Task Write(ChatCompletion chunk, StreamPosition? position = null) =>
        _events.Write(chunk, OpenAiJson.Default.ChatCompletion, id: position?.ToString());

    /// <summary>Sends a chunk of a text completion.</summary>
    public Task Write(TextCompletion chunk) => _events.Write(chunk, OpenAiJson.Default.TextCompletion);

    public Task WriteError(HerdException error) =>
        _events.Write(new ErrorBody(OpenAiErrors.Describe(error)), OpenAiJson.Default.ErrorBody);

    public Task Done() => _events.Write("[DONE]");
}
