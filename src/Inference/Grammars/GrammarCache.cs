using Herd.Inference.Chat;
using Herd.Inference.Runtime;

namespace Herd.Inference.Grammars;

/// <summary>Compiles grammars for one vocabulary and caches those used most recently. Thread-safe.</summary>
public sealed class GrammarCache(IVocabulary vocabulary)
{
    private const int MaxKept = 64;

    private readonly Lazy<TokenTrie> _tokens = new(() => new TokenTrie(vocabulary));
    private readonly Lock _lock = new();
    private readonly LinkedList<(string Schema, Grammar Grammar)> _kept = new();

    /// <summary>The grammar of any JSON object.</summary>
    public Grammar AnyObject() => Get("", _ => JsonSchemaCompiler.AnyObject(_tokens.Value));

    /// <summary>The grammar of texts that are valid under a JSON schema.</summary>
    /// <exception cref="GrammarException">The text is not a schema, or needs what a grammar cannot enforce.</exception>
    public Grammar ForSchema(string schema) => Get(schema, text => JsonSchemaCompiler.Compile(text, _tokens.Value));

    /// <summary>The grammar of one function call.</summary>
    /// <param name="tools">The functions that may be called, at least one.</param>
    /// <param name="style">The call style of the model.</param>
    /// <exception cref="GrammarException">The schema of a strict function cannot be enforced.</exception>
    public Grammar ForCall(IReadOnlyList<ToolDefinition> tools, ToolStyle style) => Get(
        $"call {style}\n{string.Join('\n', tools.Select(tool => $"{tool.Name} {tool.IsStrict} {tool.Parameters}"))}",
        _ => JsonSchemaCompiler.CompileCall(tools, style, _tokens.Value));

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
            if (_kept.Count > MaxKept)
            {
                _kept.RemoveLast();
            }
        }

        return grammar;
    }
}
