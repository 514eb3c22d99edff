using System.Text.Encodings.Web;
using System.Text.Json;
using Herd.Inference.Chat;

namespace Herd.Inference.Grammars;

/// <summary>
/// Compiles a JSON schema to a grammar of valid texts. The grammar may be narrower than the schema: objects have only
/// the named properties, in that order. Unsupported keywords are rejected by name.
/// </summary>
internal sealed class JsonSchemaCompiler
{
    public const int MaxCharacters = 65_536;
    private const int MaxDepth = 64;
    private const int MaxRepeats = 4096;

    private static readonly HashSet<string> Annotations =
    [
        "$schema", "$id", "$comment", "$defs", "definitions", "title", "description", "default", "examples",
        "deprecated",
        "readOnly", "writeOnly", "strict", "name",
    ];

    private readonly GrammarBuilder _builder;
    private readonly JsonGrammar _json;
    private readonly JsonElement _root;
    private readonly Dictionary<string, int> _references = [];

    private JsonSchemaCompiler(JsonElement root)
    {
        _root = root;
        _builder = new GrammarBuilder();
        _json = new JsonGrammar(_builder);
    }

    /// <summary>Creates a compiler for another schema of the same grammar.</summary>
    private JsonSchemaCompiler(JsonElement root, JsonSchemaCompiler of) =>
        (_root, _builder, _json) = (root, of._builder, of._json);

    /// <summary>Any JSON object.</summary>
    public static Grammar AnyObject(TokenTrie tokens)
    {
        var compiler = new JsonSchemaCompiler(default);
        return compiler.Finish(compiler._json.Object, tokens);
    }

    /// <exception cref="GrammarException">The text is not a schema, or needs what a grammar cannot enforce.</exception>
    public static Grammar Compile(string schema, TokenTrie tokens)
    {
        if (schema.Length > MaxCharacters)
        {
            throw new GrammarException($"it has {schema.Length} characters; at most {MaxCharacters} are read");
        }

        try
        {
            using var document = JsonDocument.Parse(schema, new JsonDocumentOptions { MaxDepth = MaxDepth });
            var compiler = new JsonSchemaCompiler(document.RootElement);
            return compiler.Finish(compiler.Schema(document.RootElement, "$"), tokens);
        }
        catch (JsonException e)
        {
            throw new GrammarException($"it is not JSON: {e.Message}");
        }
    }

    /// <summary>The grammar of one call of one of these functions, in the model's call style.</summary>
    /// <exception cref="GrammarException">
    /// The schema of a strict function cannot be enforced. For other functions any object is allowed then.
    /// </exception>
    public static Grammar CompileCall(IReadOnlyList<ToolDefinition> tools, ToolStyle style, TokenTrie tokens)
    {
        var compiler = new JsonSchemaCompiler(default);
        var (open, arguments, close) = style == ToolStyle.Bare
            ? ("{\"name\": \"", "\", \"parameters\": ", "}")
            : ("<tool_call>\n{\"name\": \"", "\", \"arguments\": ", "}\n</tool_call>");
        var calls = tools.Select(tool => GrammarBuilder.Sequence(
            compiler._builder.Literal(tool.Name + arguments), compiler.Arguments(tool)));
        return compiler.Finish(
            GrammarBuilder.Sequence(
                compiler._builder.Literal(open),
                compiler._builder.Choice([.. calls]),
                compiler._builder.Literal(close)), tokens);
    }

    private Part Arguments(ToolDefinition tool)
    {
        try
        {
            using var document = JsonDocument.Parse(
                tool.Parameters ?? """{"type":"object","properties":{}}""",
                new JsonDocumentOptions { MaxDepth = MaxDepth });
            return new JsonSchemaCompiler(document.RootElement, this).Schema(document.RootElement, "$");
        }
        catch (Exception e) when (e is JsonException or GrammarException)
        {
            return tool.IsStrict
                ? throw new GrammarException($"the parameters of '{tool.Name}' cannot be enforced: {e.Message}")
                : _json.Object;
        }
    }

    private Grammar Finish(Part part, TokenTrie tokens)
    {
        var root = _builder.Declare();
        _builder.Define(root, part);
        _builder.RefuseEndless();
        return new Grammar(_builder, root, tokens);
    }

    private Part Schema(JsonElement schema, string path)
    {
        if (schema.ValueKind == JsonValueKind.True)
        {
            return _json.Value;
        }

        if (schema.ValueKind != JsonValueKind.Object)
        {
            throw new GrammarException($"{path} must be an object or true");
        }

        foreach (var (keyword, understood) in new (string, Func<JsonElement, Part>)[]
        {
            ("$ref", value => Reference(value, path)),
            ("const", value => _builder.Literal(value.GetRawText())),
            ("enum", value =>
                _builder.Choice([.. NotEmpty(value, $"{path}.enum").Select(v => _builder.Literal(v.GetRawText()))])),
            ("anyOf", value => Any(value, $"{path}.anyOf")),
            ("oneOf", value => Any(value, $"{path}.oneOf")),
        })
        {
            if (schema.TryGetProperty(keyword, out var value))
            {
                Refuse(schema, path, [keyword, "type"]);
                return understood(value);
            }
        }

        return schema.TryGetProperty("type", out var type)
            ? type.ValueKind == JsonValueKind.Array
                ? _builder.Choice([.. NotEmpty(type, $"{path}.type").Select(one => Typed(one, schema, path))])
                : Typed(type, schema, path)
            : schema.TryGetProperty("properties", out _) ? ObjectOf(schema, path)
            : schema.TryGetProperty("items", out _) ? ArrayOf(schema, path)
            : Unconstrained(schema, path);
    }

    private Part Typed(JsonElement type, JsonElement schema, string path)
    {
        var several = schema.GetProperty("type").ValueKind == JsonValueKind.Array;
        switch (type.ValueKind == JsonValueKind.String ? type.GetString() : null)
        {
            case "object": return ObjectOf(schema, path);
            case "array": return ArrayOf(schema, path);
            case "string":
                RefuseUnless(several, schema, path, ["type", "minLength", "maxLength"]);
                var (min, max) = Bounds(schema, path, "minLength", "maxLength");
                return min == 0 && max is null ? _json.Text : _json.TextOf(min, max);

            case "number": RefuseUnless(several, schema, path, ["type"]); return _json.Number;
            case "integer": RefuseUnless(several, schema, path, ["type"]); return _json.Integer;
            case "boolean": RefuseUnless(several, schema, path, ["type"]); return _json.Boolean;
            case "null": RefuseUnless(several, schema, path, ["type"]); return _json.Null;
            default: throw new GrammarException(
                $"{path}.type must be one of object, array, string, number, integer, boolean and null; "
                + $"found {Shorten(type.GetRawText())}");
        }
    }

    private static string Shorten(string found) => found.Length <= 40 ? found : $"{found[..40]}...";

    private Part ObjectOf(JsonElement schema, string path)
    {
        RefuseUnless(IsSeveral(schema), schema, path, ["type", "properties", "required", "additionalProperties"]);
        var required = schema.TryGetProperty("required", out var names)
            ? NotEmptyOrNone(names, $"{path}.required").Select(name => name.GetString()!).ToHashSet()
            : [];
        var others = schema.TryGetProperty("additionalProperties", out var additional)
            ? additional.ValueKind == JsonValueKind.False ? null : Schema(additional, $"{path}.additionalProperties")
            : schema.TryGetProperty("properties", out _) ? null : _json.Value;
        var properties = schema.TryGetProperty("properties", out var named)
            ? named.EnumerateObject()
                .Select(p => (p.Name, Part: Schema(p.Value, $"{path}.properties.{p.Name}")))
                .ToList()
            : [];
        if (required.FirstOrDefault(name => properties.TrueForAll(p => p.Name != name)) is { } missing)
        {
            throw new GrammarException($"{path}.required names '{missing}', which is not among its properties");
        }

        return _json.Enclosed("{", next => Properties(properties, required, others, next), "}");
    }

    /// <summary>
    /// Two states for each property: with a property before it, so that a comma follows, and without one.
    /// </summary>
    private int Properties(List<(string Name, Part Part)> properties, HashSet<string> required, Part? others, int next)
    {
        var other = others is null ? null : _json.Pair(_json.Text, others);
        var moreOthers = other is null ? null : _builder.Repeat(GrammarBuilder.Sequence(_json.Comma, other));
        var after = moreOthers?.Invoke(next) ?? next;
        var first = other is null ? next : _builder.Split(other(after), next);
        for (var i = properties.Count - 1; i >= 0; i--)
        {
            var pair = _json.Pair(_builder.Literal(Quoted(properties[i].Name)), properties[i].Part);
            var (withComma, without) = (GrammarBuilder.Sequence(_json.Comma, pair)(after), pair(after));
            var isRequired = required.Contains(properties[i].Name);
            (first, after) = isRequired
                ? (without, withComma)
                : (_builder.Split(without, first), _builder.Split(withComma, after));
        }

        return first;
    }

    private Part ArrayOf(JsonElement schema, string path)
    {
        RefuseUnless(IsSeveral(schema), schema, path, ["type", "items", "minItems", "maxItems"]);
        var (min, max) = Bounds(schema, path, "minItems", "maxItems");
        var item = schema.TryGetProperty("items", out var items) ? Schema(items, $"{path}.items") : _json.Value;
        return _json.Items(item, min, max);
    }

    private Part Unconstrained(JsonElement schema, string path)
    {
        Refuse(schema, path, []);
        return _json.Value;
    }

    private Part Any(JsonElement several, string path) =>
        _builder.Choice([.. NotEmpty(several, path).Select((one, i) => Schema(one, $"{path}[{i}]"))]);

    /// <summary>A rule for each definition, made on first use, so that schemas can refer to themselves.</summary>
    private Part Reference(JsonElement reference, string path)
    {
        var name = reference.ValueKind == JsonValueKind.String ? reference.GetString()! : "";
        if (!_references.TryGetValue(name, out var rule))
        {
            rule = _references[name] = _builder.Declare();
            _builder.Define(rule, Schema(Resolve(name, path), name));
        }

        return _builder.Call(rule);
    }

    private JsonElement Resolve(string name, string path)
    {
        var found = _root;
        foreach (var step in name.Split('/').Skip(1))
        {
            var key = step.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            found = found.ValueKind == JsonValueKind.Object && found.TryGetProperty(key, out var next)
                ? next
                : throw new GrammarException($"{path}.$ref points to '{name}', which is not there");
        }

        return name.StartsWith('#') ? found : throw new GrammarException($"{path}.$ref points outside of the schema");
    }

    private static (int Min, int? Max) Bounds(JsonElement schema, string path, string min, string max)
    {
        int? Read(string name) => !schema.TryGetProperty(name, out var value) ? null
            : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var count)
                && count is >= 0 and <= MaxRepeats ? count
            : throw new GrammarException($"{path}.{name} is not a number from 0 to {MaxRepeats}");

        var bounds = (Read(min) ?? 0, Read(max));
        return bounds.Item2 < bounds.Item1
            ? throw new GrammarException($"{path}.{max} is less than {path}.{min}")
            : bounds;
    }

    private static bool IsSeveral(JsonElement schema) =>
        schema.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.Array;

    private static void RefuseUnless(bool several, JsonElement schema, string path, string[] understood)
    {
        if (!several)
        {
            Refuse(schema, path, understood);
        }
    }

    private static void Refuse(JsonElement schema, string path, string[] understood)
    {
        foreach (var property in schema.EnumerateObject())
        {
            if (!Annotations.Contains(property.Name) && !understood.Contains(property.Name))
            {
                throw new GrammarException($"the keyword {path}.{property.Name} is not supported here; leave it out");
            }
        }
    }

    private static JsonElement[] NotEmpty(JsonElement array, string path) =>
        NotEmptyOrNone(array, path) is { Length: > 0 } items ? items : throw new GrammarException($"{path} is empty");

    private static JsonElement[] NotEmptyOrNone(JsonElement array, string path) =>
        array.ValueKind == JsonValueKind.Array
            ? [.. array.EnumerateArray()]
            : throw new GrammarException($"{path} is not an array");

    private static string Quoted(string name) =>
        $"\"{JsonEncodedText.Encode(name, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";
}
