using Herd.Load.Targets;
using System.Text.Json.Nodes;

namespace Herd.Load.Scenes;

/// <summary>200 conversations without shared text return in random order, four at a time, over 8 slots.</summary>
internal static class ReturnScene
{
    public const int Slots = 8;
    public const int Cells = Slots * 1024;

    /// <summary>Host memory for 40 of the conversations: about 290 tokens each.</summary>
    public const long HostBytes = 40 * 290 * 23_100L;

    private const int Conversations = 200;
    private const int AtOnce = 4;
    private const int Words = 240;

    public sealed record Result(string Target, double FirstMedian, double FirstP95, double PrefixHit);

    public static async Task<Result> Run(ITarget target, int seed)
    {
        var conversations = Enumerable.Range(0, Conversations)
            .Select(i => new Conversation($"return-{seed}-{i}", Texts.Long((seed * 500) + i, Words)))
            .ToArray();
        await AnswerAll(conversations, "Begin.");
        new Random(seed).Shuffle(conversations);
        var turns = await AnswerAll(conversations, "And then?");
        var result = new Result(
            target.Name,
            turns.Select(turn => turn.FirstToken).Median(),
            turns.Select(turn => turn.FirstToken).Quantile(0.95),
            turns.Sum(turn => (double)turn.CachedTokens) / turns.Sum(turn => turn.PromptTokens));
        Console.WriteLine(result);
        return result;

        async Task<List<Turn>> AnswerAll(Conversation[] order, string text)
        {
            var turns = new List<Turn>();
            var parallel = new ParallelOptions { MaxDegreeOfParallelism = AtOnce };
            await Parallel.ForEachAsync(order, parallel, async (conversation, _) =>
            {
                conversation.Messages.Add(new Message("user", text));
                var turn = await target.Answer(conversation, 8);
                lock (turns)
                {
                    turns.Add(turn);
                }
            });
            return turns;
        }
    }

    public static JsonArray Print(IReadOnlyList<Result> results) => Figures.Print(
        "200 conversations come back over 8 slots (medians of the rounds)",
        results.GroupBy(result => result.Target),
        new("target", "target", rounds => rounds.Key),
        new("TTFT p50 s", "ttft_p50_seconds", rounds => rounds.Select(r => r.FirstMedian).Median()),
        new("p95 s", "ttft_p95_seconds", rounds => rounds.Select(r => r.FirstP95).Median()),
        new("prefix hit", "prefix_hit_share", rounds => rounds.Select(r => r.PrefixHit).Median(), "0.00"));
}
