using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Herd.Inference.Grammars;

namespace Herd.Inference.Tests.Grammars;

/// <summary>What grammars cost, counted, and that they take what the schema allows and nothing else.</summary>
public sealed partial class GrammarTests
{
    private const int Tokens = 2000;

    private static readonly PieceVocabulary Vocabulary = new();
    private static readonly TokenTrie Trie = new(Vocabulary);

    public static TheoryData<string> Hostile => [.. HostileSchemas.All.Keys];

    /// <summary>
    /// A mask visits each node of the token trie once at most, and what is remembered stays bounded.
    /// </summary>
    [Property(MaxTest = 25)]
    public Property Walk_AnySchema_CostsABoundedNumberOfSteps() => Prop.ForAll(
        SchemaGenerator.Any.ToArbitrary(), Gen.Choose(0, 1_000_000).ToArbitrary(), (schema, seed) =>
        {
            const long Limit = 100_000;
            var cache = new GrammarCache(Vocabulary, Limit);
            if (TryCompile(cache, schema) is { } grammar)
            {
                Walk(grammar, seed, (state, _) =>
                {
                    var before = grammar.States.Work;
                    state.Mask(new float[Vocabulary.Count]);
                    var after = grammar.States.Work;
                    Assert.InRange(after.Nodes - before.Nodes, 0, Trie.Count);

                    // Each node of the trie takes at most one byte, at up to three levels; making a set looks at each
                    // position and each rule of a value at most twice.
                    Assert.InRange(after.Positions - before.Positions, 0, 3L * Trie.Count * 2 * grammar.Size);
                    Assert.InRange(cache.MemoryBytes, 0, Limit + 50_000);
                });
            }
        });

    /// <summary>
    /// Sets and masks exist once: after the first tokens the rest of them costs little more than visiting what the
    /// level decides on its own.
    /// </summary>
    [Theory]
    [MemberData(nameof(Hostile))]
    public void Walk_HostileSchema_MakesFewSets(string name)
    {
        var cache = new GrammarCache(Vocabulary);
        var grammar = cache.ForSchema(HostileSchemas.All[name]);
        long half = 0;
        Walk(grammar, seed: 1, (state, step) =>
        {
            state.Mask(new float[Vocabulary.Count]);
            half = step == Tokens / 2 ? grammar.States.Work.Positions : half;
        });

        Assert.InRange(cache.MemoryBytes, 1, 32 << 20);
        Assert.InRange(grammar.States.Work.Positions - half, 0, Tokens / 2 * 10_000L);
    }

    /// <summary>Two rules that refer to each other have 2^n stacks at depth n; one is kept.</summary>
    [Fact]
    public void Nesting_TwoRulesOfEachOther_CostsNothingPerLevel()
    {
        var grammar = new GrammarCache(Vocabulary).ForSchema(HostileSchemas.All["two arrays of each other"]);
        var state = grammar.Begin();
        for (var depth = 0; depth < 1000; depth++)
        {
            state.Accept('[');
        }

        Assert.InRange(grammar.States.Work.Positions, 1, 200);
        for (var depth = 0; depth < 1000; depth++)
        {
            Assert.False(state.IsComplete);
            Assert.True(state.Allows(']'));
            state.Accept(']');
        }

        Assert.True(state.IsComplete);
    }

    [Property(MaxTest = 60)]
    public Property Mask_AnySchema_AllowsWhatTokenByTokenIsAllowed() => Prop.ForAll(
        SchemaGenerator.Any.ToArbitrary(), Gen.Choose(0, 1_000_000).ToArbitrary(), (schema, seed) =>
        {
            var large = TryCompile(new GrammarCache(Vocabulary), schema);
            if (large is null)
            {
                return;
            }

            // One that forgets all the time allows the same.
            var forgetful = new GrammarCache(Vocabulary, memoryLimit: 2000).ForSchema(schema);
            var small = forgetful.Begin();
            Walk(large, seed, (state, step) =>
            {
                var logits = new float[Vocabulary.Count];
                var others = new float[Vocabulary.Count];
                state.Mask(logits);
                small.Mask(others);
                Assert.Equal(logits, others);
                for (var token = 0; token < Vocabulary.Count; token++)
                {
                    Assert.Equal(state.Allows(token), logits[token] == 0);
                }
            }, token => small.Accept(token), () => small = forgetful.Begin(), tokens: 100);
        });

    /// <summary>Beginnings of texts, also with one character changed, are taken as the reference takes them.</summary>
    [Property(MaxTest = 150)]
    public Property Takes_AnySchema_AsTheReference() => Prop.ForAll(
        SchemaGenerator.Any.ToArbitrary(), Gen.Choose(0, 1_000_000).ToArbitrary(), (schema, seed) =>
        {
            var grammar = TryCompile(new GrammarCache(Vocabulary), schema);
            if (grammar is null || !AllHaveTexts(schema))
            {
                return;
            }

            var random = new Random(seed);
            using var document = JsonDocument.Parse(schema);
            foreach (var text in Texts(grammar, random).Where(text => IsUnicode(text) && !EscapedName().IsMatch(text)))
            {
                var reference = new ReferenceSchema(document.RootElement, text);
                var (isBeginning, isComplete) = Take(grammar, text);
                Assert.True(reference.IsComplete == isComplete, $"complete {isComplete}: {text}\n{schema}");
                Assert.True(reference.IsBeginning == isBeginning, $"beginning {isBeginning}: {text}\n{schema}");
            }
        });

    /// <summary>Short texts of a walk, with and without a change.</summary>
    private static IEnumerable<string> Texts(Grammar grammar, Random random)
    {
        var bytes = new List<byte>();
        Walk(grammar, random.Next(), (_, _) => { }, token => bytes.AddRange(Vocabulary.Bytes(token)), tokens: 30);
        var text = Encoding.UTF8.GetString([.. bytes]);
        text = text.Split('\uFFFD')[0];
        for (var i = 0; i < 10 && text.Length > 0; i++)
        {
            var cut = text[..random.Next(text.Length + 1)];
            yield return cut;
            const string Characters = "[]{},:\"a1 -.e\\unt\n";
            var at = random.Next(cut.Length + 1);
            yield return cut.Insert(at, $"{Characters[random.Next(Characters.Length)]}");
            yield return at < cut.Length ? cut.Remove(at, 1) : cut;
        }
    }

    /// <summary>
    /// An escape in what may be a name. A grammar has one way to write a name, which the reference does not know.
    /// </summary>
    [GeneratedRegex("""[{,]\s*"(?:[^"\\]|\\[^u/])*\\[u/]""")]
    private static partial Regex EscapedName();

    private static bool IsUnicode(string text) => !text.EnumerateRunes().Contains(Rune.ReplacementChar);

    /// <summary>True if each definition has a finite text, as the reference assumes.</summary>
    private static bool AllHaveTexts(string schema)
    {
        using var document = JsonDocument.Parse(schema);
        return Places(document.RootElement).All(place =>
        {
            var definitions = document.RootElement.GetProperty("$defs").GetRawText();
            return TryCompile(
                new GrammarCache(Vocabulary), $"{{\"anyOf\":[{place}],\"$defs\":{definitions}}}") is not null;
        });
    }

    private static IEnumerable<string> Places(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(property => property.Name switch
        {
            "properties" or "$defs" => property.Value.EnumerateObject().SelectMany(one => Schema(one.Value)),
            "anyOf" => property.Value.EnumerateArray().SelectMany(Schema),
            "items" or "additionalProperties" => Schema(property.Value),
            _ => [],
        }),
        _ => [],
    };

    private static IEnumerable<string> Schema(JsonElement schema) =>
        schema.ValueKind == JsonValueKind.False ? [] : Places(schema).Prepend(schema.GetRawText());

    private static (bool IsBeginning, bool IsComplete) Take(Grammar grammar, string text)
    {
        var state = grammar.Begin();
        foreach (var value in Encoding.UTF8.GetBytes(text))
        {
            if (!state.Allows(value))
            {
                return (false, false);
            }

            state.Accept(value);
        }

        return (true, state.IsComplete);
    }

    private static Grammar? TryCompile(GrammarCache cache, string schema)
    {
        try
        {
            return cache.ForSchema(schema);
        }
        catch (GrammarException)
        {
            return null;
        }
    }

    /// <summary>Accepts random allowed tokens. After a complete text the next one begins.</summary>
    private static void Walk(
        Grammar grammar,
        int seed,
        Action<GrammarState, int> check,
        Action<int>? accept = null,
        Action? begin = null,
        int tokens = Tokens)
    {
        var random = new Random(seed);
        var state = grammar.Begin();
        for (var step = 0; step < tokens; step++)
        {
            check(state, step);
            var logits = new float[Vocabulary.Count];
            Assert.True(state.Mask(logits));
            var allowed = Enumerable.Range(0, logits.Length).Where(token => logits[token] == 0).ToList();
            var token = allowed[random.Next(allowed.Count)];
            if (token == Vocabulary.End)
            {
                state = grammar.Begin();
                if (begin is null && accept is not null)
                {
                    return;
                }

                begin?.Invoke();
                continue;
            }

            state.Accept(token);
            accept?.Invoke(token);
        }
    }
}
