using System.Text.Json.Nodes;
using Herd.Inference.Grammars;
using Herd.Inference.Runtime;
using Herd.Inference.Tests.Grammars;

namespace Herd.Load.Scenes;

/// <summary>
/// Random walks of 2,000 tokens under hostile schemas: the processor time that the grammar takes at each step. Each
/// step tests a token that is not allowed, masks all tokens, and accepts one that is.
/// </summary>
internal static class GrammarScene
{
    private const int Tokens = 2000;

    /// <param name="Schema">The name of the schema.</param>
    /// <param name="Compile">The time to compile it, in milliseconds.</param>
    /// <param name="Steps">The time of each step, in milliseconds.</param>
    /// <param name="HalfBytes">The bytes that the grammar remembers after half of the steps.</param>
    /// <param name="Bytes">The same after all steps.</param>
    public sealed record Result(string Schema, double Compile, double[] Steps, long HalfBytes, long Bytes);

    public static IEnumerable<Result> Run(IVocabulary vocabulary, int seed)
    {
        // Warm-up: code that has just started is slower.
        Walk(vocabulary, "", HostileSchemas.All["any object"], seed);
        foreach (var (name, schema) in HostileSchemas.All)
        {
            yield return Walk(vocabulary, name, schema, seed);
        }
    }

    private static Result Walk(IVocabulary vocabulary, string name, string schema, int seed)
    {
        var cache = new GrammarCache(vocabulary);
        cache.AnyObject();
        var started = ThreadClock.Now;
        var grammar = cache.ForSchema(schema);
        var compile = (ThreadClock.Now - started).TotalMilliseconds;
        var random = new Random(seed);
        var state = grammar.Begin();
        var logits = new float[vocabulary.Count];
        var allowed = new List<int>();
        var refused = 0;
        var steps = new double[Tokens];
        long half = 0;
        for (var step = 0; step < Tokens; step++)
        {
            Array.Clear(logits);
            var began = ThreadClock.Now;
            state.Allows(refused);
            state.Mask(logits);
            var took = ThreadClock.Now - began;
            allowed.Clear();
            for (var token = 0; token < vocabulary.Count; token++)
            {
                if (logits[token] == 0)
                {
                    allowed.Add(token);
                }
                else
                {
                    refused = token;
                }
            }

            var chosen = allowed[random.Next(allowed.Count)];
            began = ThreadClock.Now;
            state.Accept(chosen);
            steps[step] = (took + (ThreadClock.Now - began)).TotalMilliseconds;
            if (grammar.Tokens.IsEnd(chosen))
            {
                state = grammar.Begin();
            }

            half = step == Tokens / 2 ? cache.MemoryBytes : half;
        }

        return new Result(name, compile, steps, half, cache.MemoryBytes);
    }

    public static JsonArray Print(IReadOnlyList<Result> results) => Figures.Print(
        "Grammars: the work of a step, in ms",
        results.GroupBy(result => result.Schema),
        new("schema", "schema", rounds => rounds.Key),
        new("compile", "compile_milliseconds", rounds => rounds.Select(r => r.Compile).Median(), "0.0"),
        new("p50", "p50_milliseconds", rounds => rounds.SelectMany(r => r.Steps).Median()),
        new("p99", "p99_milliseconds", rounds => rounds.SelectMany(r => r.Steps).Quantile(0.99)),
        new("longest", "longest_milliseconds", rounds => rounds.SelectMany(r => r.Steps).Max()),
        new("MiB half way", "half_way_mebibytes", rounds => rounds.Max(r => r.HalfBytes) / 1048576.0, "0.0"),
        new("MiB", "mebibytes", rounds => rounds.Max(r => r.Bytes) / 1048576.0, "0.0"));
}
