using System.Diagnostics;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Herd.Load.Targets;

/// <summary>A server with OpenAI's chat completions, streaming.</summary>
internal class HttpTarget(string name, Uri address, string model) : ITarget
{
    protected HttpClient Client { get; } = new(new SocketsHttpHandler
    {
        // llama-server closes some connections that it declared persistent.
        PooledConnectionLifetime = TimeSpan.Zero,
    })
    {
        BaseAddress = address,
        Timeout = Timeout.InfiniteTimeSpan,
    };

    public string Name => name;

    public Uri Address => address;

    public async Task<Turn> Answer(Conversation conversation, int tokens)
    {
        var started = Stopwatch.GetTimestamp();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = JsonContent.Create(new
            {
                model,
                stream = true,
                stream_options = new { include_usage = true },
                temperature = 0,
                max_tokens = tokens,
                ignore_eos = true,
                cache_prompt = true,
                messages = conversation.Messages.Select(message => new { role = message.Role, content = message.Text }),
            }),
        };
        request.Headers.Add("x-session-id", conversation.Id);
        using var response = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        response.EnsureSuccessStatusCode();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var text = new StringBuilder();
        var arrivals = new List<double>();
        int prompt = 0, cached = 0, completion = 0;
        while (await reader.ReadLineAsync() is { } line)
        {
            if (!line.StartsWith("data: {", StringComparison.Ordinal))
            {
                continue;
            }

            using var chunk = JsonDocument.Parse(line.AsMemory(6));
            if (chunk.RootElement.TryGetProperty("choices", out var choices) && choices.GetArrayLength() > 0
                && choices[0].GetProperty("delta").TryGetProperty("content", out var content)
                && content.ValueKind == JsonValueKind.String && content.GetString() is { Length: > 0 } piece)
            {
                arrivals.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
                text.Append(piece);
            }

            if (chunk.RootElement.TryGetProperty("usage", out var usage) && usage.ValueKind == JsonValueKind.Object)
            {
                prompt = usage.GetProperty("prompt_tokens").GetInt32();
                completion = usage.GetProperty("completion_tokens").GetInt32();
                cached = usage.TryGetProperty("prompt_tokens_details", out var details)
                    && details.TryGetProperty("cached_tokens", out var known) ? known.GetInt32() : 0;
            }
        }

        if (completion != tokens)
        {
            throw new InvalidOperationException($"{Name} answered with {completion} tokens instead of {tokens}.");
        }

        conversation.Messages.Add(new Message("assistant", text.ToString()));
        return new Turn
        {
            Arrivals = [.. arrivals],
            Total = Stopwatch.GetElapsedTime(started).TotalSeconds,
            PromptTokens = prompt,
            CachedTokens = cached,
        };
    }

    public virtual ValueTask DisposeAsync()
    {
        Client.Dispose();
        return ValueTask.CompletedTask;
    }
}
