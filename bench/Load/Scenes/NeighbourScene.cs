using System.Text.Json.Nodes;
using Herd.Inference.Grammars;
using Herd.Inference.Sampling;
using Herd.Inference.Tests.Grammars;
using Herd.Load.Targets;

namespace Herd.Load.Scenes;

/// <summary>
/// Four streams without a grammar beside one that writes random tokens, first without and then with a hostile schema:
/// the times between the tokens of the four.
/// </summary>
internal static class NeighbourScene
{
    public const int Slots = 5;
    private const int Tokens = 200;

    /// <param name="Schema">The name of the schema.</param>
    /// <param name="Before">The times between tokens beside a stream without a schema, in seconds.</param>
    /// <param name="Beside">The same beside the stream under the schema.</param>
    public sealed record Result(string Schema, IReadOnlyList<double> Before, IReadOnlyList<double> Beside);

    public static async IAsyncEnumerable<Result> Run(EngineTarget target, int round)
    {
        // Warm-up: code that has just started is slower.
        await Gaps(target, null, -1);
        foreach (var (i, (name, schema)) in HostileSchemas.All.Index())
        {
            // The machine's speed changes by the minute, so each schema has a run without one beside it.
            var seed = (round * 100) + i;
            yield return new Result(name, await Gaps(target, null, seed), await Gaps(target, schema, seed));
        }
    }

    private static async Task<List<double>> Gaps(EngineTarget target, string? schema, int seed)
    {
        var grammar = schema is null ? null : new GrammarCache(target.Vocabulary).ForSchema(schema);
        var name = $"{seed}-{(schema is null ? "free" : "schema")}";
        var streams = Task.WhenAll(Enumerable.Range(0, Slots - 1).Select(
            i => target.Answer(Begun($"stream-{name}-{i}", (seed * 10) + i), Tokens)));
        for (var i = 0; !streams.IsCompleted; i++)
        {
            // An answer under a schema may be complete early; then the next one begins.
            await target.Answer(
                Begun($"random-{name}-{i}", seed),
                Tokens,
                new SamplingOptions { Temperature = 3, Seed = (ulong)(seed + i + 2), Grammar = grammar });
        }

        return [.. (await streams).SelectMany(turn => turn.Gaps)];
    }

    private static Conversation Begun(string id, int seed)
    {
        var conversation = new Conversation(id, Texts.Long(seed, 30));
        conversation.Messages.Add(new Message("user", "Go on."));
        return conversation;
    }

    public static JsonArray Print(IReadOnlyList<Result> results)
    {
        static double Ratio(IEnumerable<Result> rounds, double share) => rounds
            .Select(round => round.Beside.Quantile(share) / round.Before.Quantile(share)).Median();

        return Figures.Print(
            "Beside a schema: times between the tokens of four streams (medians of the rounds)",
            results.GroupBy(result => result.Schema),
            new("schema", "schema", rounds => rounds.Key),
            new("p50 ms without", "free_p50_milliseconds", rounds => 1000 * rounds.Select(
                r => r.Before.Median()).Median(), "0.0"),
            new("p50 ms", "p50_milliseconds", rounds => 1000 * rounds.Select(r => r.Beside.Median()).Median(), "0.0"),
            new("ratio of p50", "p50_ratio", rounds => Ratio(rounds, 0.5), "0.00"),
            new("ratio of p95", "p95_ratio", rounds => Ratio(rounds, 0.95), "0.00"));
    }
}
