namespace Herd.Inference.Grammars;

/// <summary>
/// A part of a grammar. Given the state that follows it, it builds its states and returns the first of them.
/// </summary>
internal delegate int Part(int next);

/// <summary>
/// Builds the states of a grammar from parts. A state takes a byte, splits into two others, calls a rule, or returns
/// from a rule (Thompson's construction with calls: Woods, "Transition Network Grammars", 1970).
/// </summary>
internal sealed class GrammarBuilder
{
    /// <summary>The maximum number of states. It bounds the memory that a hostile schema can use.</summary>
    public const int MaxStates = 50_000;

    private readonly List<GrammarNode> _nodes = [];
    private readonly List<int> _rules = [];
    private readonly int _return;

    public GrammarBuilder() => _return = Add(new GrammarNode(GrammarNodeKind.Return, default, 0, 0));

    public GrammarNode[] Nodes => [.. _nodes];

    public static Part Nothing => next => next;

    public static Part Sequence(params Part[] parts) => next =>
    {
        for (var i = parts.Length - 1; i >= 0; i--)
        {
            next = parts[i](next);
        }

        return next;
    };

    public Part Bytes(ByteSet set) => next => Add(new GrammarNode(GrammarNodeKind.Take, set, next, 0));

    public Part Literal(string text)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(text);
        return Sequence([.. bytes.Select(value => Bytes(ByteSet.Range(value, value)))]);
    }

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
        _nodes[loop] = new GrammarNode(GrammarNodeKind.Split, default, part(loop), next);
        return loop;
    };

    /// <summary>Repeats a part from <c>min</c> to <c>max</c> times. Null means without limit.</summary>
    public Part Repeat(Part part, int min, int? max) => next =>
    {
        var entry = next;
        if (max is { } bound)
        {
            for (var i = min; i < bound; i++)
            {
                entry = Split(part(entry), next);
            }
        }
        else
        {
            entry = Repeat(part)(entry);
        }

        for (var i = 0; i < min; i++)
        {
            entry = part(entry);
        }

        return entry;
    };

    /// <summary>Reserves a rule, so that parts can call it before it is defined.</summary>
    public int Declare()
    {
        _rules.Add(-1);
        return _rules.Count - 1;
    }

    public void Define(int rule, Part part) => _rules[rule] = part(_return);

    public Part Call(int rule) => next => Add(new GrammarNode(GrammarNodeKind.Call, default, next, rule));

    public int[] Rules => [.. _rules];

    public int Split(int one, int other) => Add(new GrammarNode(GrammarNodeKind.Split, default, one, other));

    /// <summary>Checks that no rule calls itself without taking a byte.</summary>
    /// <exception cref="GrammarException">A rule calls itself without taking a byte.</exception>
    public void RefuseEndless()
    {
        var state = new Visit[_rules.Count];
        for (var rule = 0; rule < _rules.Count; rule++)
        {
            CanBeEmpty(rule, state);
        }
    }

    /// <exception cref="GrammarException">The grammar is too large.</exception>
    private int Add(GrammarNode node)
    {
        if (_nodes.Count >= MaxStates)
        {
            throw new GrammarException($"it needs more than {MaxStates} states; make it smaller");
        }

        _nodes.Add(node);
        return _nodes.Count - 1;
    }

    private bool CanBeEmpty(int rule, Visit[] visits)
    {
        if (visits[rule] == Visit.Begun)
        {
            throw new GrammarException("a definition refers to itself and nothing else");
        }

        if (visits[rule] == Visit.None)
        {
            visits[rule] = Visit.Begun;
            var canBeEmpty = ReachesReturn(_rules[rule], visits, []);
            visits[rule] = canBeEmpty ? Visit.CanBeEmpty : Visit.TakesSomething;
        }

        return visits[rule] == Visit.CanBeEmpty;
    }

    private bool ReachesReturn(int first, Visit[] visits, HashSet<int> seen)
    {
        var open = new Stack<int>([first]);
        var found = false;
        while (open.TryPop(out var at))
        {
            var node = _nodes[at];
            if (!seen.Add(at) || node.Kind == GrammarNodeKind.Take)
            {
                continue;
            }

            found |= node.Kind == GrammarNodeKind.Return;
            if (node.Kind == GrammarNodeKind.Split)
            {
                open.Push(node.Next);
                open.Push(node.Other);
            }
            else if (node.Kind == GrammarNodeKind.Call && CanBeEmpty(node.Other, visits))
            {
                open.Push(node.Next);
            }
        }

        return found;
    }

    private enum Visit : byte
    {
        None,
        Begun,
        CanBeEmpty,
        TakesSomething,
    }
}

internal enum GrammarNodeKind : byte
{
    Take,
    Split,
    Call,
    Return,
}

/// <summary>A state of a grammar.</summary>
/// <param name="Kind">The kind of state.</param>
/// <param name="Bytes">The bytes that <see cref="GrammarNodeKind.Take"/> accepts.</param>
/// <param name="Next">The next state.</param>
/// <param name="Other">The second state of a split, or the called rule.</param>
internal readonly record struct GrammarNode(GrammarNodeKind Kind, ByteSet Bytes, int Next, int Other);

/// <summary>
/// A schema cannot be compiled to a grammar. The message states the reason and follows the words "the schema".
/// </summary>
public sealed class GrammarException(string message) : Exception(message);
