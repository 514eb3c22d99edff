namespace Herd.Inference.Grammars;

/// <summary>
/// A grammar of answers over bytes: an automaton with a stack, made deterministic while it runs. Thread-safe.
/// (docs/decisions/grammars.md).
/// </summary>
public sealed class Grammar
{
    private readonly int[] _ruleOf;
    private readonly int[] _starts;
    private readonly int[][] _values;
    private readonly int[][] _valuesOf;
    private readonly TextBounds[][] _lengths;
    private readonly int[][] _breaks;
    private readonly bool[] _isBounded;
    private readonly ByteSet[] _sets;
    private readonly bool[] _live;
    private readonly ByteSet[] _firstBytes;
    private readonly byte[] _classes;
    private readonly byte[] _members;

    /// <exception cref="GrammarException">No text is complete under the grammar.</exception>
    internal Grammar(GrammarBuilder builder, int root, TokenTrie tokens, GrammarMemory memory)
    {
        Nodes = builder.Nodes.ToArray();
        _lengths = builder.Lengths.ToArray();
        _ruleOf = builder.RuleOf.ToArray();
        _starts = builder.Starts.ToArray();
        _values = builder.Values.ToArray();
        _sets = builder.Sets.ToArray();
        _live = LiveNodes.Find(builder);
        _valuesOf = LiveNodes.ValuesOf(builder);
        (_classes, _members) = ByteClasses.Find(_sets);
        _isBounded = new bool[_starts.Length];
        _breaks = [.. _starts.Select(_ => Array.Empty<int>())];
        foreach (var (i, node) in Nodes.Index())
        {
            _isBounded[_ruleOf[i]] |= node.Taking is { Bounded: not BoundedByte.None };
            if (node.Taking is { Breaks.Length: > 0 } taking)
            {
                _breaks[_ruleOf[i]] = [.. _breaks[_ruleOf[i]].Union(taking.Breaks)];
            }
        }

        _firstBytes = [.. _values.Select(FirstBytes)];
        Tokens = tokens;
        States = new LevelStates(this, memory);
        Start = _live[_starts[root]]
            ? States.Initial(_starts[root])
            : throw new GrammarException("no text is valid under it, or only texts without an end");
    }

    internal TokenTrie Tokens { get; }

    internal LevelStates States { get; }

    internal LevelState Start { get; }

    /// <summary>The class of each byte. All positions treat the bytes of a class alike.</summary>
    internal ReadOnlySpan<byte> Classes => _classes;

    /// <summary>A byte of each class.</summary>
    internal ReadOnlySpan<byte> ClassMembers => _members;

    /// <summary>The number of positions and rules of values together.</summary>
    internal int Size => Nodes.Length + _values.Sum(rules => rules.Length);

    internal int Positions => Nodes.Length;

    internal int Rules => _starts.Length;

    internal int Values => _values.Length;

    internal GrammarState Begin() => new(this);

    internal GrammarNode[] Nodes { get; }

    internal bool IsLive(int position) => _live[position];

    internal ReadOnlySpan<int> RulesOf(int value) => _values[value];

    /// <summary>The lengths of a bounded text that a value allows: one of some bounds.</summary>
    internal ReadOnlySpan<TextBounds> LengthsOf(int value) => _lengths[value];

    /// <summary>True if a rule is a text whose length its value bounds.</summary>
    internal bool IsBounded(int rule) => _isBounded[rule];

    /// <summary>The first position of a rule.</summary>
    internal int StartOf(int rule) => _starts[rule];

    /// <summary>The values that a rule can read.</summary>
    internal ReadOnlySpan<int> ValuesOf(int rule) => _valuesOf[rule];

    /// <summary>The counts at which something changes in the rule of a position.</summary>
    internal ReadOnlySpan<int> Breaks(int position) => _breaks[_ruleOf[position]];

    internal int RuleOf(int position) => _ruleOf[position];

    internal bool Takes(in GrammarNode node, int byteClass) => _sets[node.Other].Contains(_members[byteClass]);

    /// <summary>The bytes that a position takes, or with which a value that it calls begins.</summary>
    internal ByteSet FirstBytes(in GrammarNode node) => node.Kind switch
    {
        GrammarNodeKind.Take => _sets[node.Other],
        GrammarNodeKind.Call => _firstBytes[node.Other],
        _ => default,
    };

    private ByteSet FirstBytes(int[] rules)
    {
        var bytes = default(ByteSet);
        var open = new Stack<int>(rules.Select(StartOf).Where(IsLive));
        while (open.TryPop(out var at))
        {
            var node = Nodes[at];
            if (node.Kind == GrammarNodeKind.Split)
            {
                open.Push(node.Next);
                open.Push(node.Other);
            }
            else if (node.Kind == GrammarNodeKind.Take && _live[at])
            {
                bytes |= _sets[node.Other];
            }
        }

        return bytes;
    }
}
