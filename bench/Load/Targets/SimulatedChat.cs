using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Herd.Load.Targets;

/// <summary>One streamed answer of simulated nodes, and when its pieces came.</summary>
internal static class SimulatedChat
{
    public static async Task<Asked> Ask(HttpClient http, string text, int tokens)
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
            return new Asked(null, known, null);
        }

        if (!response.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"{(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
        }

        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var arrivals = new List<double>();
        while (await reader.ReadLineAsync() is { } line)
        {
            if (line.Contains("\"content\":\"", StringComparison.Ordinal) && !line.Contains("\"content\":\"\"", StringComparison.Ordinal))
            {
                arrivals.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
            }
        }

        return new Asked(arrivals, known, response.Headers.GetValues("X-Herd-Session").Single());
    }

    /// <returns>Seconds between two tokens of an answer where it was made.</returns>
    public static async Task<double> StepAtNode(HttpClient http, string session, int tokens)
    {
        using var conversation = JsonDocument.Parse(await http.GetStringAsync($"/herd/v1/conversations/{session}"));
        var decode = conversation.RootElement.GetProperty("turns")[0].GetProperty("timings").GetProperty("decode").GetString()!;
        return double.Parse(decode.TrimEnd('s'), CultureInfo.InvariantCulture) / (tokens - 1);
    }

    /// <param name="Arrivals">Seconds since it was asked for at which each piece came; null when it was refused for there was too much to do.</param>
    /// <param name="Known">When that was known.</param>
    /// <param name="Session">The conversation.</param>
    internal sealed record Asked(IReadOnlyList<double>? Arrivals, double Known, string? Session);
}
