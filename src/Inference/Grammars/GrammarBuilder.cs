using System.Runtime.InteropServices;

namespace Herd.Inference.Grammars;

/// <summary>
/// A part of a rule. Given the position that follows it, it builds its positions and returns the first of them.
/// </summary>
internal delegate int Part(int next);

/// <summary>
/// Builds a grammar from parts. A rule is an automaton over bytes (Thompson, "Regular Expression Search Algorithm",
/// 1968) with calls of values. A value is a set of rules, one of which reads it.
/// </summary>
/// <remarks>
/// The nesting of the text must show in its bytes (Alur and Madhusudan, "Visibly Pushdown Languages", 2004), as that
/// of JSON does: a rule begins with a byte; where one alternative begins a rule, no other takes the same byte itself;
/// and where a rule may end, the byte that continues it cannot follow it.
/// </remarks>
internal sealed class GrammarBuilder
{
    /// <summary>
    /// The maximum number of positions and rules of values together. It bounds memory, and the work for a byte.
    /// </summary>
    public const int MaxPositions = 50_000;

    private readonly List<GrammarNode> _nodes = [];
    private readonly List<int> _ruleOf = [];
    private readonly List<int> _starts = [];
    private readonly List<int[]> _values = [];
    private readonly List<TextBounds[]> _lengths = [];
    private readonly List<ByteSet> _sets = [];
    private readonly Dictionary<ByteSet, int> _setNumbers = [];
    private int _entries;

    public static Part Nothing => next => next;

    public ReadOnlySpan<GrammarNode> Nodes => CollectionsMarshal.AsSpan(_nodes);

    /// <summary>The rule of each position.</summary>
    public ReadOnlySpan<int> RuleOf => CollectionsMarshal.AsSpan(_ruleOf);

    /// <summary>The first position of each rule.</summary>
    public ReadOnlySpan<int> Starts => CollectionsMarshal.AsSpan(_starts);

    /// <summary>The rules of each value.</summary>
    public ReadOnlySpan<int[]> Values => CollectionsMarshal.AsSpan(_values);

    /// <summary>The lengths of a bounded text that each value allows: one of some bounds.</summary>
    public ReadOnlySpan<TextBounds[]> Lengths => CollectionsMarshal.AsSpan(_lengths);

    public ReadOnlySpan<ByteSet> Sets => CollectionsMarshal.AsSpan(_sets);

    public static Part Sequence(params Part[] parts) => next =>
    {
        for (var i = parts.Length - 1; i >= 0; i--)
        {
            next = parts[i](next);
        }

        return next;
    };

    public Part Bytes(ByteSet set, Counting? taking = null) => next => Take(set, next, taking);

    public Part Literal(string text) => Sequence(
        [.. System.Text.Encoding.UTF8.GetBytes(text).Select(value => Bytes(ByteSet.One(value)))]);

    public Part Choice(params Part[] parts) => next =>
    {
        var entry = parts[^1](next);
        for (var i = parts.Length - 2; i >= 0; i--)
        {
            entry = Split(parts[i](next), entry);
        }

        return entry;
    };

    public Part Optional(Part part) => Choice(part, Nothing);

    /// <summary>Repeats a part 0 or more times. The part must not match the empty text.</summary>
    public Part Repeat(Part part) => next =>
    {
        var loop = Split(next, next);
        _nodes[loop] = new GrammarNode(GrammarNodeKind.Split, part(loop), next);
        return loop;
    };

    /// <summary>Repeats a short part by copies, from <c>min</c> to <c>max</c> times.</summary>
    public Part Repeat(Part part, int min, int max) => next =>
    {
        var entry = next;
        for (var i = min; i < max; i++)
        {
            entry = Split(part(entry), next);
        }

        for (var i = 0; i < min; i++)
        {
            entry = part(entry);
        }

        return entry;
    };

    /// <summary>Calls a value, if the level's count allows it.</summary>
    public Part Call(int value, Counting? guard = null) =>
        next => Add(new GrammarNode(GrammarNodeKind.Call, next, value, guard));

    public int Take(ByteSet set, int next, Counting? taking = null)
    {
        if (!_setNumbers.TryGetValue(set, out var number))
        {
            number = _setNumbers[set] = _sets.Count;
            _sets.Add(set);
        }

        return Add(new GrammarNode(GrammarNodeKind.Take, next, number, taking));
    }

    public int Split(int one, int other) => Add(new GrammarNode(GrammarNodeKind.Split, one, other));

    /// <summary>Makes a rule of a part.</summary>
    public int Rule(Part part)
    {
        // One rule is built at a time, so its positions are neighbours.
        System.Diagnostics.Debug.Assert(_ruleOf.Count == _nodes.Count, "A rule is built within another.");
        var rule = _starts.Count;
        _starts.Add(part(Add(new GrammarNode(GrammarNodeKind.End, -1, rule))));
        while (_ruleOf.Count < _nodes.Count)
        {
            _ruleOf.Add(rule);
        }

        return rule;
    }

    /// <summary>Reserves a value, so that rules can call it before its own rules exist.</summary>
    public int Declare()
    {
        _values.Add([]);
        _lengths.Add([]);
        return _values.Count - 1;
    }

    /// <summary>Gives a value its rules, and the lengths that it allows if one is a bounded text.</summary>
    public void Define(int value, IEnumerable<int> rules, IEnumerable<TextBounds>? lengths = null)
    {
        _values[value] = [.. rules.Distinct()];
        _lengths[value] = [.. (lengths ?? []).Distinct()];
        _entries += _values[value].Length + _lengths[value].Length;
        RefuseTooLarge();
    }

    public int Value(params int[] rules)
    {
        var value = Declare();
        Define(value, rules);
        return value;
    }

    private int Add(GrammarNode node)
    {
        _nodes.Add(node);
        RefuseTooLarge();
        return _nodes.Count - 1;
    }

    /// <exception cref="GrammarException">The grammar is too large.</exception>
    private void RefuseTooLarge()
    {
        if (_nodes.Count + _entries > MaxPositions)
        {
            throw new GrammarException($"it needs more than {MaxPositions} positions; make it smaller");
        }
    }
}
