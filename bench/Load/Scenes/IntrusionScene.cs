using Herd.Load.Targets;
using System.Text.Json.Nodes;

namespace Herd.Load.Scenes;

/// <summary>A prompt of about 4,000 tokens comes while eight streams decode: the times between their tokens.</summary>
internal static class IntrusionScene
{
    public const int Slots = 9;
    public const int Cells = Slots * 4608;
    private const int Streams = 8;
    private const int IntruderWords = 3_900;

    /// <param name="Target">The name of the target.</param>
    /// <param name="Before">The streams' median time between tokens before the long prompt, in seconds.</param>
    /// <param name="Meanwhile">The same, until the first token of the long prompt.</param>
    /// <param name="MeanwhileP99">The 99th percentile of these.</param>
    /// <param name="After">The median after that, with longer streams.</param>
    /// <param name="FirstToken">The time to the first token of the long prompt.</param>
    public sealed record Result(
        string Target, double Before, double Meanwhile, double MeanwhileP99, double After, double FirstToken);

    public static async Task<Result> Run(ITarget target, int streamTokens, int seed)
    {
        // Warm-up: a process that has just started is slower.
        await target.Answer(Intruder($"warm-{seed}", seed + 70), 8);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var streams = Enumerable.Range(0, Streams).Select(async i =>
        {
            var conversation = new Conversation($"stream-{seed}-{i}", Texts.Long((seed * 50) + i, 60));
            conversation.Messages.Add(new Message("user", "Go on."));
            var began = clock.Elapsed.TotalSeconds;
            var turn = await target.Answer(conversation, streamTokens);
            return turn.Arrivals.Select(at => at + began).ToArray();
        }).ToList();

        // All of them decode now.
        await Task.Delay(TimeSpan.FromSeconds(3));
        var from = clock.Elapsed.TotalSeconds;
        var turn = await target.Answer(Intruder($"intruder-{seed}", seed + 7), 8);
        var to = from + turn.FirstToken;
        var arrivals = await Task.WhenAll(streams);
        var gaps = arrivals.SelectMany(times => times.Zip(times.Skip(1))).Where(gap => gap.First > 1).ToList();
        List<double> Gaps(double begin, double end) =>
            [.. gaps.Where(gap => gap.Second > begin && gap.First < end).Select(gap => gap.Second - gap.First)];
        var during = Gaps(from, to);
        var result = new Result(
            target.Name,
            Gaps(0, from).Median(),
            during.Median(),
            during.Quantile(0.99),
            Gaps(to, double.MaxValue).Median(),
            turn.FirstToken);
        Console.WriteLine($"{result} prompt of {turn.PromptTokens}");
        return result;
    }

    private static Conversation Intruder(string id, int seed)
    {
        var intruder = new Conversation(id, Texts.Long(seed, IntruderWords));
        intruder.Messages.Add(new Message("user", "Summarise."));
        return intruder;
    }

    public static JsonArray Print(IReadOnlyList<Result> results) => Figures.Print(
        "A 4,000-token prompt among eight streams: their inter-token latency (medians of the rounds)",
        results.GroupBy(result => result.Target),
        new("target", "target", rounds => rounds.Key),
        new("before p50 ms", "before_p50_milliseconds", rounds => 1000 * rounds.Select(r => r.Before).Median(), "0.0"),
        new(
            "meanwhile p50 ms",
            "meanwhile_p50_milliseconds",
            rounds => 1000 * rounds.Select(r => r.Meanwhile).Median(),
            "0.0"),
        new(
            "meanwhile p99 ms",
            "meanwhile_p99_milliseconds",
            rounds => 1000 * rounds.Select(r => r.MeanwhileP99).Median(),
            "0.0"),
        new("after p50 ms", "after_p50_milliseconds", rounds => 1000 * rounds.Select(r => r.After).Median(), "0.0"),
        new(
            "the prompt's own TTFT s",
            "prompt_ttft_seconds",
            rounds => rounds.Select(r => r.FirstToken).Median(),
            "0.0"));
}
