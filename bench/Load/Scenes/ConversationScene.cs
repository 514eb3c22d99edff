using System.Diagnostics;
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

    public static void Print(IReadOnlyList<Result> results) => Figures.Print(
        "Conversations: later-turn TTFT, whole turns, throughput (medians of the rounds)",
        ["target", "later TTFT p50 s", "p95 s", "p99 s", "turn p95 s", "tokens/s", "prefix hit"],
        results.GroupBy(result => result.Target).Select(rounds => (IReadOnlyList<string>)
        [
            rounds.Key,
            rounds.Select(r => r.LaterMedian).Median().Show(),
            rounds.Select(r => r.LaterP95).Median().Show(),
            rounds.Select(r => r.LaterP99).Median().Show(),
            rounds.Select(r => r.TurnP95).Median().Show(),
            rounds.Select(r => r.TokensPerSecond).Median().Show("0.0"),
            rounds.Select(r => r.PrefixHit).Median().Show("0.00"),
        ]));
}
