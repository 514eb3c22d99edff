using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;

namespace Herd.Load.Targets;

/// <summary>One streamed answer of simulated nodes, and when its pieces came.</summary>
internal static class SimulatedChat
{
    /// <returns>Seconds since it was asked for at which each piece came; null when it was refused for there was too much to do, with when that was known.</returns>
    public static async Task<(IReadOnlyList<double>? Arrivals, double Known)> Ask(HttpClient http, string text, int tokens)
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
            if (line.Contains("\"content\":\"", StringComparison.Ordinal) && !line.Contains("\"content\":\"\"", StringComparison.Ordinal))
            {
                arrivals.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
            }
        }

        return (arrivals, known);
    }
}
