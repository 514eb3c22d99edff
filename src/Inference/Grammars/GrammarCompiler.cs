using Herd.Inference.Chat;

namespace Herd.Inference.Grammars;

/// <summary>Makes the grammars of answers for one vocabulary.</summary>
internal sealed class GrammarCompiler(TokenTrie tokens, GrammarMemory memory)
{
    /// <summary>The grammar of any JSON object.</summary>
    public Grammar AnyObject()
    {
        var builder = new GrammarBuilder();
        return Finish(builder, builder.Call(new JsonGrammar(builder).AnyObject));
    }

    /// <summary>The grammar of the texts that are valid under a schema.</summary>
    /// <exception cref="GrammarException">The text is not a schema, or needs what a grammar cannot enforce.</exception>
    public Grammar ForSchema(string schema)
    {
        var builder = new GrammarBuilder();
        return Finish(builder, builder.Call(JsonSchemaCompiler.Compile(schema, builder, new JsonGrammar(builder))));
    }

    /// <summary>The grammar of one call of one of these functions, in the model's call style.</summary>
    /// <exception cref="GrammarException">
    /// The schema of a strict function cannot be enforced. For other functions any object is allowed then. Or the
    /// functions need too large a grammar together.
    /// </exception>
    public Grammar ForCall(IReadOnlyList<ToolDefinition> tools, ToolStyle style)
    {
        var builder = new GrammarBuilder();
        var json = new JsonGrammar(builder);
        var (open, arguments, close) = style == ToolStyle.Bare
            ? ("{\"name\": \"", "\", \"parameters\": ", "}")
            : ("<tool_call>\n{\"name\": \"", "\", \"arguments\": ", "}\n</tool_call>");
        var calls = tools.Select(tool => GrammarBuilder.Sequence(
            builder.Literal(tool.Name + arguments), builder.Call(Arguments(tool, builder, json)))).ToArray();
        return Finish(builder, GrammarBuilder.Sequence(
            builder.Literal(open), builder.Choice(calls), builder.Literal(close)));
    }

    private int Arguments(ToolDefinition tool, GrammarBuilder builder, JsonGrammar json)
    {
        var schema = tool.Parameters ?? """{"type":"object","properties":{}}""";
        try
        {
            // Alone first: a schema that fails must leave nothing in the grammar of all functions.
            _ = ForSchema(schema);
        }
        catch (GrammarException e)
        {
            return tool.IsStrict
                ? throw new GrammarException($"the parameters of '{tool.Name}' cannot be enforced: {e.Message}")
                : json.AnyObject;
        }

        return JsonSchemaCompiler.Compile(schema, builder, json);
    }

    private Grammar Finish(GrammarBuilder builder, Part part) => new(builder, builder.Rule(part), tokens, memory);
}
