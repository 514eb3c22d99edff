using System.Text.Json;

namespace Herd.Inference.Grammars;

/// <summary>
/// What a JSON value may be: the alternatives of a schema, together. Strings become one rule, however many alternatives
/// have them, and so do numbers; alternatives that are alike exist once.
/// </summary>
internal sealed class JsonAlternatives
{
    private readonly HashSet<TextBounds> _bounds = [];
    private readonly HashSet<string> _texts = new(StringComparer.Ordinal);
    private readonly HashSet<string> _numbers = new(StringComparer.Ordinal);
    private readonly HashSet<string> _words = new(StringComparer.Ordinal);
    private readonly List<int> _rules = [];
    private JsonTypes _kinds;

    /// <summary>Adds all numbers, booleans and null that are of some types.</summary>
    public void AddScalars(JsonTypes types)
    {
        _kinds |= types & JsonTypes.Number;
        if (types.HasFlag(JsonTypes.Boolean))
        {
            _words.UnionWith(["true", "false"]);
        }

        if (types.HasFlag(JsonTypes.Null))
        {
            _words.Add("null");
        }
    }

    public void AddText(TextBounds bounds) => _bounds.Add(bounds);

    /// <summary>The bounds of the strings' lengths.</summary>
    public IReadOnlyCollection<TextBounds> Lengths => _bounds;

    /// <summary>Adds the rule of an object or array.</summary>
    public void Add(int rule) => _rules.Add(rule);

    /// <summary>Adds a value itself, unless it is an object or array.</summary>
    public void AddConstant(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String: _texts.Add(value.GetString()!); break;
            case JsonValueKind.Number: _numbers.Add(value.GetRawText()); break;
            default: _words.Add(value.GetRawText()); break;
        }
    }

    /// <summary>The rules, objects and arrays first.</summary>
    public IEnumerable<int> Rules(JsonGrammar json)
    {
        var rules = new List<int>(_rules);
        if (_bounds.Count > 0)
        {
            rules.Add(json.BoundedText);
        }

        if (_texts.Count > 0 && !_bounds.Contains(TextBounds.Any))
        {
            rules.Add(json.TextRule(_texts));
        }

        if (_kinds != JsonTypes.None || _numbers.Count > 0)
        {
            rules.Add(json.NumberRule(
                any: _kinds.HasFlag(JsonTypes.Fraction), integers: _kinds.HasFlag(JsonTypes.Integer), _numbers));
        }

        if (_words.Count > 0)
        {
            rules.Add(json.WordRule(_words));
        }

        return rules;
    }
}
