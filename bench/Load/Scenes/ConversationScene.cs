using System.Diagnostics;
using System.Text.Json.Nodes;
using Herd.Load.Targets;

namespace Herd.Load.Scenes;

/// <summary>Many conversations of several turns; each sends its next message when it is answered.</summary>
internal static class ConversationScene
{
    private const int AnswerTokens = 48;

    public static int[] PeerSlots { get; } = [8, 16];

    public sealed record Result(
        string Target,
        double LaterMedian,
        double LaterP95,
        double LaterP99,
        double TurnP95,
        double TokensPerSecond,
        double PrefixHit);

    /// <summary>
    /// Runs such a load once before the measurement, because servers run for days and their first half minute is
    /// slower.
    /// </summary>
    public static async Task<Result> RunWarm(ITarget target, int conversations, int turns, int seed)
    {
        await Converse(target, conversations, turns, seed + 500);
        return await Run(target, conversations, turns, seed);
    }

    public static async Task<Result> Run(ITarget target, int conversations, int turns, int seed)
    {
        var started = Stopwatch.GetTimestamp();
        var all = await Converse(target, conversations, turns, seed);
        var took = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var later = all.SelectMany(turns => turns.Skip(1)).ToList();
        var result = new Result(
            target.Name,
            later.Select(turn => turn.FirstToken).Median(),
            later.Select(turn => turn.FirstToken).Quantile(0.95),
            later.Select(turn => turn.FirstToken).Quantile(0.99),
            all.SelectMany(turns => turns).Select(turn => turn.Total).Quantile(0.95),
            conversations * turns * AnswerTokens / took,
            later.Sum(turn => (double)turn.CachedTokens) / later.Sum(turn => turn.PromptTokens));
        Console.WriteLine(result);
        return result;
    }

    private static Task<List<Turn>[]> Converse(ITarget target, int conversations, int turns, int seed) =>
        Task.WhenAll(Enumerable.Range(0, conversations).Select(async i =>
        {
            var conversation = new Conversation($"bench-{seed}-{i}", Texts.System);
            var measured = new List<Turn>();
            for (var turn = 0; turn < turns; turn++)
            {
                conversation.Messages.Add(new Message("user", Texts.Question((seed * 1000) + (i * 10) + turn)));
                measured.Add(await target.Answer(conversation, AnswerTokens));
            }

            return measured;
        }));

    public static JsonArray Print(IReadOnlyList<Result> results) => Figures.Print(
        "Conversations: later-turn TTFT, whole turns, throughput (medians of the rounds)",
        results.GroupBy(result => result.Target),
        new("target", "target", rounds => rounds.Key),
        new("later TTFT p50 s", "later_ttft_p50_seconds", rounds => rounds.Select(r => r.LaterMedian).Median()),
        new("p95 s", "later_ttft_p95_seconds", rounds => rounds.Select(r => r.LaterP95).Median()),
        new("p99 s", "later_ttft_p99_seconds", rounds => rounds.Select(r => r.LaterP99).Median()),
        new("turn p95 s", "turn_p95_seconds", rounds => rounds.Select(r => r.TurnP95).Median()),
        new("tokens/s", "tokens_per_second", rounds => rounds.Select(r => r.TokensPerSecond).Median(), "0.0"),
        new("prefix hit", "prefix_hit_share", rounds => rounds.Select(r => r.PrefixHit).Median(), "0.00"));
}
