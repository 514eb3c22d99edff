namespace Herd.Inference.Grammars;

/// <summary>
/// A set of positions of a grammar while it is made. Its memory is used again for the next set: marks tell what is in
/// it. Not thread-safe.
/// </summary>
internal sealed class PositionSet(Grammar grammar)
{
    private readonly Grammar _grammar = grammar;
    private readonly GrammarNode[] _nodes = grammar.Nodes;
    private readonly int[] _marks = new int[grammar.Positions];
    private readonly int[] _valueMarks = new int[grammar.Values];
    private readonly int[] _ruleMarks = new int[grammar.Rules];
    private readonly List<int> _heads = [];
    private readonly Stack<int> _begins = new();
    private readonly Stack<int> _open = new();
    private int _mark;
    private long _looked;

    /// <summary>Positions, and rules of values, looked at in all sets so far. May be read by any thread.</summary>
    public long Looked => Volatile.Read(ref _looked);

    public int Count => _heads.Count;

    public void Look(int positions) => _looked += positions;

    /// <summary>Begins the next set.</summary>
    public void Clear()
    {
        _mark++;
        _heads.Clear();
    }

    public void MarkValue(int value) => _valueMarks[value] = _mark;

    /// <summary>True if a value was marked since the set was cleared.</summary>
    public bool HasValue(int value) => _valueMarks[value] == _mark;

    /// <summary>The positions, ascending.</summary>
    public int[] ToArray()
    {
        _heads.Sort();
        return [.. _heads];
    }

    /// <summary>Adds the positions of a rule after its first byte.</summary>
    /// <returns>True if the rule begins with the byte.</returns>
    public bool AddBegun(int rule, int byteClass)
    {
        _looked++;
        if (_ruleMarks[rule] == _mark || !_grammar.IsLive(_grammar.StartOf(rule)))
        {
            return _ruleMarks[rule] == _mark;
        }

        var before = _heads.Count;
        _begins.Push(_grammar.StartOf(rule));
        while (_begins.TryPop(out var at))
        {
            ref readonly var node = ref _nodes[at];
            _looked++;
            if (node.Kind == GrammarNodeKind.Split)
            {
                _begins.Push(node.Next);
                _begins.Push(node.Other);
            }
            else if (node.Kind == GrammarNodeKind.Take && _grammar.Takes(node, byteClass))
            {
                AddClosure(node.Next);
            }
        }

        _ruleMarks[rule] = _heads.Count > before ? _mark : _ruleMarks[rule];
        return _heads.Count > before;
    }

    /// <summary>Adds the positions that are reached from one without taking a byte.</summary>
    public void AddClosure(int position)
    {
        _open.Push(position);
        while (_open.TryPop(out var at))
        {
            if (_marks[at] == _mark || !_grammar.IsLive(at))
            {
                continue;
            }

            _marks[at] = _mark;
            _looked++;
            ref readonly var node = ref _nodes[at];
            if (node.Kind == GrammarNodeKind.Split)
            {
                _open.Push(node.Other);
                _open.Push(node.Next);
            }
            else
            {
                _heads.Add(at);
            }
        }
    }
}
