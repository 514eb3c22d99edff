using System.Text.Json;

namespace Herd.Inference.Grammars;

/// <summary>
/// Compiles a JSON schema to values of a grammar. The grammar may be narrower than the schema: objects have the named
/// properties first, in their order. Keywords that are not supported are refused by name.
/// </summary>
/// <remarks>
/// The schema of each place becomes a value, whose rules are made later, one after the other, so that neither depth nor
/// cycles of references matter. Within a place, references and choices are followed until a type is found.
/// </remarks>
internal sealed class JsonSchemaCompiler(JsonElement root, GrammarBuilder builder, JsonGrammar json)
{
    public const int MaxCharacters = 65_536;
    private const int MaxDepth = 64;
    private const int MaxReferences = 256;

    private static readonly HashSet<string> Annotations =
    [
        "$schema", "$id", "$comment", "$defs", "definitions", "title", "description", "default", "examples",
        "deprecated", "readOnly", "writeOnly", "strict", "name",
    ];

    private readonly Dictionary<string, int> _values = new(StringComparer.Ordinal);
    private readonly Queue<(int Value, JsonElement Schema, string Path)> _pending = [];

    /// <returns>The value of the texts that are valid under a schema.</returns>
    /// <exception cref="GrammarException">The text is not a schema, or needs what a grammar cannot enforce.</exception>
    public static int Compile(string schema, GrammarBuilder builder, JsonGrammar json)
    {
        if (schema.Length > MaxCharacters)
        {
            throw new GrammarException($"it has {schema.Length} characters; at most {MaxCharacters} are read");
        }

        using var document = Parse(schema);
        SchemaText.RefuseLoneSurrogates(document.RootElement, "$");
        var compiler = new JsonSchemaCompiler(document.RootElement, builder, json);
        var value = compiler.ValueOf(document.RootElement, "$");
        while (compiler._pending.TryDequeue(out var next))
        {
            var found = new JsonAlternatives();
            compiler.Collect(next.Schema, next.Path, JsonTypes.Any, found, []);
            builder.Define(next.Value, found.Rules(json), found.Lengths);
        }

        return value;
    }

    private static JsonDocument Parse(string schema)
    {
        try
        {
            return JsonDocument.Parse(schema, new JsonDocumentOptions { MaxDepth = MaxDepth });
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new GrammarException($"it is not JSON: {e.Message}");
        }
    }

    /// <summary>The value of a schema. Its rules are made later.</summary>
    private int ValueOf(JsonElement schema, string path)
    {
        if (schema.ValueKind == JsonValueKind.True)
        {
            return json.AnyValue;
        }

        var text = schema.GetRawText();
        if (!_values.TryGetValue(text, out var value))
        {
            value = _values[text] = builder.Declare();
            _pending.Enqueue((value, schema, path));
        }

        return value;
    }

    /// <summary>Adds the alternatives of a schema that are of some types.</summary>
    /// <param name="schema">The schema.</param>
    /// <param name="path">Its place, for errors.</param>
    /// <param name="types">The types that are allowed from outside.</param>
    /// <param name="found">The alternatives.</param>
    /// <param name="references">The references followed so far: true while inside of one.</param>
    private void Collect(
        JsonElement schema,
        string path,
        JsonTypes types,
        JsonAlternatives found,
        Dictionary<(string, JsonTypes), bool> references)
    {
        if (schema.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            if (schema.ValueKind == JsonValueKind.True)
            {
                AddTyped(default, path, types, found);
            }

            return;
        }

        if (schema.ValueKind != JsonValueKind.Object)
        {
            throw new GrammarException(
                $"{path} must be an object, true or false; found {SchemaText.Name(schema.ValueKind)}");
        }

        if (Combinator(schema) is { } combinator)
        {
            Refuse(schema, path, [combinator.Name, "type"]);
            var inner = schema.TryGetProperty("type", out _)
                ? types & JsonTypesExtensions.Allowed(schema, path)
                : types;
            var at = $"{path}.{combinator.Name}";
            switch (combinator.Name)
            {
                case "$ref": Follow(combinator.Value, at, inner, found, references); break;
                case "const": AddConstant(combinator.Value, inner, found); break;
                case "enum":
                    foreach (var value in SchemaText.Items(combinator.Value, at))
                    {
                        AddConstant(value, inner, found);
                    }

                    break;

                default:
                    foreach (var (i, one) in SchemaText.Items(combinator.Value, at).Index())
                    {
                        Collect(one, $"{at}[{i}]", inner, found, references);
                    }

                    break;
            }

            return;
        }

        var own = JsonTypesExtensions.Allowed(schema, path);
        Refuse(schema, path, [.. own.Keywords(), "type"]);
        AddTyped(schema, path, own & types, found);
    }

    private static (string Name, JsonElement Value)? Combinator(JsonElement schema)
    {
        foreach (var name in new[] { "$ref", "const", "enum", "anyOf", "oneOf" })
        {
            if (schema.TryGetProperty(name, out var value))
            {
                return (name, value);
            }
        }

        return null;
    }

    /// <summary>Adds values of some types, as the schema's keywords bound them. Without a schema: all.</summary>
    private void AddTyped(JsonElement schema, string path, JsonTypes types, JsonAlternatives found)
    {
        var isFree = schema.ValueKind == JsonValueKind.Undefined;
        found.AddScalars(types);
        if (types.HasFlag(JsonTypes.String))
        {
            var (min, max) = isFree ? (0, int.MaxValue) : SchemaText.Bounds(schema, path, "minLength", "maxLength");
            found.AddText(new TextBounds(min, max));
        }

        if (types.HasFlag(JsonTypes.Array))
        {
            found.Add(isFree ? json.ArrayRule(json.AnyValue, 0, int.MaxValue) : ArrayOf(schema, path));
        }

        if (types.HasFlag(JsonTypes.Object))
        {
            found.Add(isFree ? json.ObjectRule([], json.AnyValue) : ObjectOf(schema, path));
        }
    }

    private int ArrayOf(JsonElement schema, string path)
    {
        var (min, max) = SchemaText.Bounds(schema, path, "minItems", "maxItems");
        return json.ArrayRule(
            schema.TryGetProperty("items", out var items) ? ValueOf(items, $"{path}.items") : json.AnyValue, min, max);
    }

    private int ObjectOf(JsonElement schema, string path)
    {
        var hasProperties = schema.TryGetProperty("properties", out var named);
        var required = Required(schema, $"{path}.required");
        var properties = !hasProperties ? [] : SchemaText.Properties(named, $"{path}.properties")
            .Select(property => new JsonProperty(
                property.Name,
                ValueOf(property.Value, SchemaText.At($"{path}.properties", property.Name)),
                required.Contains(property.Name)))
            .ToList();
        required.ExceptWith(properties.Select(property => property.Name));
        if (required.Count > 0)
        {
            throw new GrammarException(
                $"{path}.required names '{SchemaText.Shorten(required.First())}', which is not among its properties");
        }

        int? others = !schema.TryGetProperty("additionalProperties", out var additional)
            ? hasProperties ? null : json.AnyValue
            : additional.ValueKind == JsonValueKind.False ? null
            : ValueOf(additional, $"{path}.additionalProperties");
        return json.ObjectRule(properties, others);
    }

    private static HashSet<string> Required(JsonElement schema, string path) =>
        schema.TryGetProperty("required", out var names)
            ? SchemaText.Array(names, path).Select((name, i) => SchemaText.Text(name, $"{path}[{i}]"))
                .ToHashSet(StringComparer.Ordinal)
            : [];

    private void AddConstant(JsonElement value, JsonTypes types, JsonAlternatives found)
    {
        if ((JsonTypesExtensions.TypeOf(value) & types) == 0)
        {
            return;
        }

        switch (value.ValueKind)
        {
            case JsonValueKind.Array:
                found.Add(json.TupleRule([.. value.EnumerateArray().Select(ConstantOf)]));
                break;

            case JsonValueKind.Object:
                var properties = SchemaText.Properties(value, "")
                    .Select(property => new JsonProperty(property.Name, ConstantOf(property.Value), IsRequired: true));
                found.Add(json.ObjectRule([.. properties], others: null));
                break;

            default: found.AddConstant(value); break;
        }
    }

    /// <summary>The value that is a constant and nothing else.</summary>
    private int ConstantOf(JsonElement constant)
    {
        var text = $"const {constant.GetRawText()}";
        if (!_values.TryGetValue(text, out var value))
        {
            var found = new JsonAlternatives();
            AddConstant(constant, JsonTypes.Any, found);
            value = _values[text] = builder.Value([.. found.Rules(json)]);
        }

        return value;
    }

    private void Follow(
        JsonElement reference,
        string path,
        JsonTypes types,
        JsonAlternatives found,
        Dictionary<(string, JsonTypes), bool> references)
    {
        var name = SchemaText.Text(reference, path);
        if (references.TryGetValue((name, types), out var isInside))
        {
            if (isInside)
            {
                throw new GrammarException($"{path}: the definition '{SchemaText.Shorten(name)}' refers to itself");
            }

            return;
        }

        if (references.Count(one => one.Value) == MaxReferences)
        {
            throw new GrammarException($"{path}: more than {MaxReferences} references lead from one to the next");
        }

        references[(name, types)] = true;
        Collect(Resolve(name, path), SchemaText.Shorten(name), types, found, references);
        references[(name, types)] = false;
    }

    private JsonElement Resolve(string name, string path)
    {
        if (!name.StartsWith('#'))
        {
            throw new GrammarException($"{path} points outside of the schema, to '{SchemaText.Shorten(name)}'");
        }

        var found = root;
        foreach (var step in name.Split('/').Skip(1))
        {
            var key = Uri.UnescapeDataString(step).Replace("~1", "/", StringComparison.Ordinal)
                .Replace("~0", "~", StringComparison.Ordinal);
            found = found.ValueKind == JsonValueKind.Object && found.TryGetProperty(key, out var next) ? next
                : found.ValueKind == JsonValueKind.Array && int.TryParse(key, out var index)
                    && index >= 0 && index < found.GetArrayLength() ? found[index]
                : throw new GrammarException($"{path} points to '{SchemaText.Shorten(name)}', which is not there");
        }

        return found;
    }

    private static void Refuse(JsonElement schema, string path, string[] understood)
    {
        foreach (var property in schema.EnumerateObject())
        {
            if (!Annotations.Contains(property.Name) && !understood.Contains(property.Name))
            {
                throw new GrammarException(
                    $"the keyword {SchemaText.At(path, property.Name)} is not supported here; leave it out");
            }
        }
    }
}
