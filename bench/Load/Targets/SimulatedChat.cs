using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using Herd.Inference.Generation;
using Herd.Inference.Runtime;
using Herd.Inference.Sampling;
using Herd.Inference.Simulated;
using Microsoft.Extensions.Logging.Abstractions;

namespace Herd.Load.Targets;

/// <summary>Streams answers of simulated nodes, and measures the times of their chunks.</summary>
internal static class SimulatedChat
{
    private const string Content = "\"content\":\"";

    /// <param name="http">The client of the gateway.</param>
    /// <param name="text">The message.</param>
    /// <param name="tokens">The length of the answer.</param>
    /// <param name="onChunk">Called with the tokens of each chunk.</param>
    /// <returns>
    /// The times of the chunks, in seconds from the request; null if the gateway was overloaded and refused. And the
    /// time of the response.
    /// </returns>
    public static async Task<(IReadOnlyList<double>? Arrivals, double Known)> Ask(
        HttpClient http, string text, int tokens, Action<int>? onChunk = null)
    {
        var started = Stopwatch.GetTimestamp();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = JsonContent.Create(new
            {
                model = "smollm2-135m-instruct",
                stream = true,
                max_tokens = tokens,
                ignore_eos = true,
                messages = new[] { new { role = "user", content = text } },
            }),
        };
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var known = Stopwatch.GetElapsedTime(started).TotalSeconds;
        if (response.StatusCode == HttpStatusCode.TooManyRequests)
        {
            return (null, known);
        }

        if (!response.IsSuccessStatusCode)
        {
            throw new InvalidOperationException(
                $"{(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
        }

        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var arrivals = new List<double>();
        while (await reader.ReadLineAsync() is { } line)
        {
            if (line.IndexOf(Content, StringComparison.Ordinal) is >= 0 and var at
                && line.IndexOf('"', at + Content.Length) - at - Content.Length is > 0 and var letters)
            {
                // A simulated token is a letter.
                arrivals.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
                onChunk?.Invoke(letters);
            }
        }

        return (arrivals, known);
    }

    /// <summary>Runs the same streams on an engine in this process.</summary>
    /// <returns>The times between tokens, in seconds.</returns>
    public static async Task<IReadOnlyList<double>> Engine(int streams, int tokens)
    {
        using var model = new SimulatedRuntime(new SimulatedTimings(), TimeProvider.System)
            .Load("", new ModelOptions(), null, CancellationToken.None);
        var context = model.CreateContext(new ContextOptions { Sequences = streams, CellsPerSequence = 2048 });
        await using var engine = new Engine(
            context,
            model.Vocabulary,
            new EngineOptions { Speculate = false },
            TimeProvider.System,
            NullLogger<Engine>.Instance);
        var gaps = await Task.WhenAll(Enumerable.Range(0, streams).Select(async stream =>
        {
            var arrivals = new List<double>();
            await foreach (var update in engine.Generate(new GenerationRequest
            {
                Session = $"{stream}",
                Prompt = model.Vocabulary.Tokenize($"Talk about {stream}.", parseSpecial: false),
                MaxTokens = tokens,
                Sampling = new SamplingOptions { IgnoreEnd = true },
            }))
            {
                if (update.Tokens.Count > 0)
                {
                    arrivals.Add(Stopwatch.GetElapsedTime(0).TotalSeconds);
                }
            }

            return arrivals.Gaps();
        }));
        return [.. gaps.SelectMany(gap => gap)];
    }
}
