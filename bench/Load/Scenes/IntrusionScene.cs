using Herd.Load.Targets;

namespace Herd.Load.Scenes;

/// <summary>A prompt of about 4,000 tokens comes while eight streams decode: how long do these wait for their next token?</summary>
internal static class IntrusionScene
{
    public const int Slots = 9;
    public const int Cells = Slots * 4608;
    private const int Streams = 8;
    private const int IntruderWords = 3_900;

    public sealed record Result(string Target, double CalmMedian, double GapMedian, double GapP99, double IntruderFirst);

    public static async Task<Result> Run(ITarget target, int streamTokens, int seed)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var streams = Enumerable.Range(0, Streams).Select(async i =>
        {
            var conversation = new Conversation($"stream-{seed}-{i}", Texts.Long((seed * 50) + i, 60));
            conversation.Messages.Add(new Message("user", "Go on."));
            var began = clock.Elapsed.TotalSeconds;
            var turn = await target.Say(conversation, streamTokens);
            return turn.Arrivals.Select(at => at + began).ToArray();
        }).ToList();

        // By now all of them decode.
        await Task.Delay(TimeSpan.FromSeconds(3));
        var intruder = new Conversation($"intruder-{seed}", Texts.Long(seed + 7, IntruderWords));
        intruder.Messages.Add(new Message("user", "Summarise."));
        var from = clock.Elapsed.TotalSeconds;
        var turn = await target.Say(intruder, 8);
        var to = from + turn.FirstToken;
        var arrivals = await Task.WhenAll(streams);
        var gaps = arrivals.SelectMany(times => times.Zip(times.Skip(1))).ToList();
        var during = gaps.Where(gap => gap.Second > from && gap.First < to).Select(gap => gap.Second - gap.First).ToList();
        var calm = gaps.Where(gap => gap.Second < from && gap.First > 1).Select(gap => gap.Second - gap.First);
        var result = new Result(target.Name, calm.Median(), during.Median(), during.Quantile(0.99), turn.FirstToken);
        Console.WriteLine($"{result} prompt of {turn.PromptTokens}");
        return result;
    }

    public static void Print(IReadOnlyList<Result> results) => Figures.Print(
        "A 4,000-token prompt among eight streams: their inter-token latency (medians of the rounds)",
        ["target", "before p50 ms", "meanwhile p50 ms", "meanwhile p99 ms", "the prompt's own TTFT s"],
        results.GroupBy(result => result.Target).Select(rounds => (IReadOnlyList<string>)
        [
            rounds.Key,
            (1000 * rounds.Select(r => r.CalmMedian).Median()).Show("0.0"),
            (1000 * rounds.Select(r => r.GapMedian).Median()).Show("0.0"),
            (1000 * rounds.Select(r => r.GapP99).Median()).Show("0.0"),
            rounds.Select(r => r.IntruderFirst).Median().Show("0.0"),
        ]));
}
