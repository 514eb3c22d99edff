using Herd.Inference.Chat;
using Herd.Inference.Runtime;

namespace Herd.Inference.Grammars;

/// <summary>
/// Compiles grammars for one vocabulary and caches those used most recently, with the masks that they computed, so that
/// answers share them. Thread-safe.
/// </summary>
public sealed class GrammarCache
{
    private const int MaxKept = 64;
    private const int MaxKeptPositions = 8 * GrammarBuilder.MaxPositions;

    private readonly Lazy<GrammarCompiler> _compiler;
    private readonly GrammarMemory _memory;
    private readonly Lock _lock = new();
    private readonly LinkedList<(string Schema, Grammar Grammar)> _kept = new();

    public GrammarCache(IVocabulary vocabulary)
        : this(vocabulary, GrammarMemory.DefaultLimit)
    {
    }

    internal GrammarCache(IVocabulary vocabulary, long memoryLimit)
    {
        _memory = new GrammarMemory(memoryLimit);
        _compiler = new(() => new GrammarCompiler(new TokenTrie(vocabulary), _memory));
    }

    /// <summary>The bytes that all grammars remember, estimated.</summary>
    internal long MemoryBytes => _memory.Bytes;

    /// <summary>The grammar of any JSON object.</summary>
    public Grammar AnyObject() => Get("", _ => _compiler.Value.AnyObject());

    /// <summary>The grammar of texts that are valid under a JSON schema.</summary>
    /// <exception cref="GrammarException">The text is not a schema, or needs what a grammar cannot enforce.</exception>
    public Grammar ForSchema(string schema) => Get($"schema {schema}", _ => _compiler.Value.ForSchema(schema));

    /// <summary>The grammar of one function call.</summary>
    /// <param name="tools">The functions that may be called, at least one.</param>
    /// <param name="style">The call style of the model.</param>
    /// <exception cref="GrammarException">The schema of a strict function cannot be enforced.</exception>
    public Grammar ForCall(IReadOnlyList<ToolDefinition> tools, ToolStyle style) => Get(
        $"call {style}\n{string.Join('\n', tools.Select(tool => $"{tool.Name} {tool.IsStrict} {tool.Parameters}"))}",
        _ => _compiler.Value.ForCall(tools, style));

    private Grammar Get(string schema, Func<string, Grammar> compile)
    {
        lock (_lock)
        {
            for (var node = _kept.First; node is not null; node = node.Next)
            {
                if (node.Value.Schema == schema)
                {
                    _kept.Remove(node);
                    _kept.AddFirst(node);
                    return node.Value.Grammar;
                }
            }
        }

        var grammar = compile(schema);
        lock (_lock)
        {
            _kept.AddFirst((schema, grammar));
            while (_kept.Count > MaxKept
                || (_kept.Count > 1 && _kept.Sum(one => one.Grammar.Positions) > MaxKeptPositions))
            {
                _memory.Retire(_kept.Last!.Value.Grammar.States);
                _kept.RemoveLast();
            }
        }

        return grammar;
    }
}
