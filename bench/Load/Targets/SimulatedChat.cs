using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using Herd.Inference.Generation;
using Herd.Inference.Runtime;
using Herd.Inference.Sampling;
using Herd.Inference.Simulated;
using Microsoft.Extensions.Logging.Abstractions;

namespace Herd.Load.Targets;

/// <summary>One streamed answer of simulated nodes, and when its pieces came.</summary>
internal static class SimulatedChat
{
    private const string Content = "\"content\":\"";

    /// <param name="http">The gateway.</param>
    /// <param name="text">What is said.</param>
    /// <param name="tokens">How long the answer is.</param>
    /// <param name="onPiece">Told of each piece, in tokens.</param>
    /// <returns>Seconds since it was asked for at which each piece came; null when it was refused for there was too much to do, with when that was known.</returns>
    public static async Task<(IReadOnlyList<double>? Arrivals, double Known)> Ask(HttpClient http, string text, int tokens, Action<int>? onPiece = null)
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
            throw new InvalidOperationException($"{(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
        }

        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var arrivals = new List<double>();
        while (await reader.ReadLineAsync() is { } line)
        {
            if (line.IndexOf(Content, StringComparison.Ordinal) is >= 0 and var at && line.IndexOf('"', at + Content.Length) - at - Content.Length is > 0 and var letters)
            {
                // A simulated token is a letter.
                arrivals.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
                onPiece?.Invoke(letters);
            }
        }

        return (arrivals, known);
    }

    /// <summary>The same streams from the node's engine, in this process.</summary>
    /// <returns>Seconds between their tokens.</returns>
    public static async Task<IReadOnlyList<double>> Engine(int streams, int tokens)
    {
        using var model = new SimulatedRuntime(new SimulatedTimings(), TimeProvider.System).Load("", new ModelOptions(), null, CancellationToken.None);
        var context = model.CreateContext(new ContextOptions { Sequences = streams, CellsPerSequence = 2048 });
        await using var engine = new Engine(context, model.Vocabulary, new EngineOptions { Speculate = false }, TimeProvider.System, NullLogger<Engine>.Instance);
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
