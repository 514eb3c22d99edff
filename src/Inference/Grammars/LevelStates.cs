using System.Collections.Concurrent;

namespace Herd.Inference.Grammars;

/// <summary>
/// The sets of positions of a grammar that have occurred, with what follows them: the subset construction, done for
/// the sets that are met (Thompson, 1968). What is remembered is bounded in bytes and forgotten as a whole.
/// Thread-safe.
/// </summary>
internal sealed class LevelStates
{
    private const int StateBytes = 200;
    private const int EntryBytes = 120;

    private readonly Grammar _grammar;
    private readonly GrammarMemory _memory;
    private readonly Lock _lock = new();
    private readonly Dictionary<(int[] Heads, TextLengths? Lengths), LevelState> _states = new(new SetComparer());
    private readonly Dictionary<ByteSet, Transition?[]> _impossible = [];
    private readonly List<LevelState> _remembering = [];
    private readonly ConcurrentDictionary<(LevelState Caller, LevelState Ended, int LengthClass), LevelState> _returns =
        new();

    private readonly ConcurrentDictionary<(LevelState State, int CountClass), TokenMask> _masks = new();

    private readonly GrammarNode[] _nodes;
    private readonly PositionSet _set;
    private readonly int[] _plainClasses;
    private readonly List<int> _breaks = [];
    private long _bytes;
    private long _visited;

    public LevelStates(Grammar grammar, GrammarMemory memory)
    {
        _grammar = grammar;
        _memory = memory;
        _nodes = grammar.Nodes;
        _set = new PositionSet(grammar);
        var plain = Enumerable.Range(0, 256).Where(value => TokenTrie.IsPlain((byte)value));
        _plainClasses = [.. plain.Select(value => (int)grammar.Classes[value]).Distinct()];
    }

    /// <summary>The bytes that are remembered, estimated.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>The work done so far.</summary>
    public GrammarWork Work => new(Volatile.Read(ref _visited), _set.Looked);

    /// <summary>True if only answers that have begun use the grammar.</summary>
    public bool IsRetired { get; set; }

    public ReadOnlySpan<byte> Classes => _grammar.Classes;

    public bool IsEnd(int position) => _nodes[position].Kind == GrammarNodeKind.End;

    /// <summary>The set of a rule's beginning.</summary>
    public LevelState Initial(int start)
    {
        lock (_lock)
        {
            _set.Clear();
            _set.AddClosure(start);
            return Take(null);
        }
    }

    /// <summary>What follows a set when a byte comes at a count of a range.</summary>
    public Transition Follow(LevelState state, int range, int byteClass)
    {
        Transition made;
        lock (_lock)
        {
            made = Make(state, range == 0 ? 0 : state.Breaks[range - 1], byteClass);
            if (!state.HasMemory)
            {
                _remembering.Add(state);
            }

            Grow(state.Remember(range, byteClass, made));
        }

        _memory.Check(this);
        return made;
    }

    /// <summary>See <see cref="LevelState.PlainLimit"/>.</summary>
    public int PlainLimit(LevelState state)
    {
        var limit = int.MaxValue;
        foreach (var byteClass in _plainClasses)
        {
            var follows = state.Follow(byteClass, 0);
            if (follows.Target != state || follows.Begins)
            {
                return -1;
            }

            limit = Math.Min(limit, follows.Limit);
        }

        // A guard would make it depend on the count in other ways.
        return HasGuardedPlain(state) ? -1 : limit;
    }

    /// <summary>The set of the calling level after a level of it ended, at a count.</summary>
    public LevelState Return(LevelState caller, LevelState ended, int count)
    {
        var key = (caller, ended, ended.Lengths is null ? 0 : caller.LengthClass(count));
        if (_returns.TryGetValue(key, out var known))
        {
            return known;
        }

        lock (_lock)
        {
            _set.Clear();
            foreach (var head in ended.Heads)
            {
                if (!IsEnd(head))
                {
                    continue;
                }

                var rule = _nodes[head].Other;
                foreach (var value in _grammar.ValuesOf(rule))
                {
                    _set.Look(1);
                    if (!_grammar.IsBounded(rule) || Allows(_grammar.LengthsOf(value), count))
                    {
                        _set.MarkValue(value);
                    }
                }
            }

            _set.Look(caller.Heads.Length + ended.Heads.Length);
            foreach (var head in caller.Heads)
            {
                ref readonly var node = ref _nodes[head];
                if (node.Kind == GrammarNodeKind.Call && _set.HasValue(node.Other))
                {
                    _set.AddClosure(node.Next);
                }
            }

            known = _returns[key] = Take(caller.Lengths);
            Grow(EntryBytes);
        }

        _memory.Check(this);
        return known;
    }

    /// <summary>The tokens that can follow a set at a count, as far as its level decides it.</summary>
    public TokenMask Mask(LevelState state, int count)
    {
        var key = (state, state.CountClass(count, _grammar.Tokens.MaxLength));
        if (!_masks.TryGetValue(key, out var mask))
        {
            mask = TokenMask.Compute(_grammar.Tokens, state, count);
            Worked(mask.Visited);
            if (_masks.TryAdd(key, mask))
            {
                Grow(mask.Bytes + EntryBytes);
                _memory.Check(this);
            }
        }

        return mask;
    }

    public void Worked(int nodes) => Interlocked.Add(ref _visited, nodes);

    /// <summary>All counts at which something changes in the rules of positions, ascending.</summary>
    public int[] AllBreaks(LevelState state)
    {
        var breaks = new SortedSet<int>(state.Lengths?.Breaks ?? []);
        var rule = -1;
        foreach (var head in state.Heads)
        {
            // The positions of a rule are neighbours.
            if (_grammar.RuleOf(head) != rule)
            {
                rule = _grammar.RuleOf(head);
                foreach (var at in _grammar.Breaks(head))
                {
                    breaks.Add(at);
                }
            }
        }

        return [.. breaks];
    }

    /// <summary>The lengths at which other values allow a string, among those that a set calls, ascending.</summary>
    public int[] LengthBreaks(LevelState caller) => TextLengths.BreaksOf(caller.Heads
        .Where(head => _nodes[head].Kind == GrammarNodeKind.Call)
        .Select(head => _nodes[head].Other)
        .Distinct()
        .SelectMany(value => _grammar.LengthsOf(value).ToArray()));

    /// <summary>Forgets all sets, and what followed them. Those that answers are at remain, without memory.</summary>
    public void Forget()
    {
        lock (_lock)
        {
            _remembering.ForEach(state => state.Forget());
            _remembering.Clear();
            _states.Clear();
            _returns.Clear();
            _impossible.Clear();
            _masks.Clear();
            _memory.Add(-Interlocked.Exchange(ref _bytes, 0));
        }
    }

    private bool HasGuardedPlain(LevelState state) => state.Heads.Any(head =>
        _nodes[head] is { Kind: GrammarNodeKind.Take, Taking.Breaks.Length: > 0 } node
            && _plainClasses.Any(byteClass => _grammar.Takes(node, byteClass)));

    private Transition Make(LevelState state, int count, int byteClass)
    {
        _set.Clear();
        var (counts, limit) = (false, 0);
        _set.Look(state.Heads.Length);
        foreach (var head in state.Heads)
        {
            ref readonly var node = ref _nodes[head];
            if (node.Kind == GrammarNodeKind.Take && _grammar.Takes(node, byteClass)
                && (node.Taking is not { } taking || Allows(taking, state, count)))
            {
                _set.AddClosure(node.Next);
                counts |= node.Taking is { Counts: true };
                limit = Math.Max(limit, Limit(node.Taking, state));
            }
        }

        if (_set.Count > 0)
        {
            return new Transition(Take(state.Lengths), Begins: false, counts, limit);
        }

        var lengths = new List<TextBounds>();
        foreach (var head in state.Heads)
        {
            ref readonly var node = ref _nodes[head];
            if (node.Kind == GrammarNodeKind.Call && !_set.HasValue(node.Other)
                && (node.Taking is not { } guard || guard.Allows(count)))
            {
                _set.MarkValue(node.Other);
                foreach (var rule in _grammar.RulesOf(node.Other))
                {
                    if (_set.AddBegun(rule, byteClass) && _grammar.IsBounded(rule))
                    {
                        lengths.AddRange(_grammar.LengthsOf(node.Other));
                    }
                }
            }
        }

        return _set.Count == 0 ? Transition.None : new Transition(
            Take(lengths.Count == 0 ? null : new TextLengths(lengths)), Begins: true, Counts: false, int.MaxValue);
    }

    /// <summary>True if a position takes its byte at a count. The transition has the limit.</summary>
    private static bool Allows(Counting taking, LevelState state, int count) =>
        taking.Allows(count) && (taking.Bounded != BoundedByte.Close || state.Lengths!.Contains(count));

    /// <summary>The count below which a position takes its byte. Above it stays, and takes nothing.</summary>
    private static int Limit(Counting? taking, LevelState state) => taking?.Bounded switch
    {
        BoundedByte.First => state.Lengths!.Max,
        BoundedByte.Inside when state.Lengths!.Max < int.MaxValue => state.Lengths.Max + 1,
        _ => int.MaxValue,
    };

    private static bool Allows(ReadOnlySpan<TextBounds> bounds, int length)
    {
        foreach (var one in bounds)
        {
            if (one.Contains(length))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The set of the positions that were added since the set was cleared.</summary>
    private LevelState Take(TextLengths? lengths)
    {
        var heads = _set.ToArray();
        if (_states.TryGetValue((heads, lengths), out var known))
        {
            return known;
        }

        var ends = 0;
        var bytes = default(ByteSet);
        _breaks.Clear();
        foreach (var head in heads)
        {
            ref readonly var node = ref _nodes[head];
            bytes |= _grammar.FirstBytes(node);
            ends += node.Kind == GrammarNodeKind.End ? 1 : 0;
            if (node.Taking is { Breaks.Length: > 0 } taking)
            {
                _breaks.AddRange(taking.Breaks);
            }
            else if (node.Taking is { Bounded: BoundedByte.Close })
            {
                _breaks.AddRange(lengths!.Breaks);
            }
        }

        _breaks.Sort();
        Grow(StateBytes + (4 * heads.Length));
        return _states[(heads, lengths)] = new LevelState(
            this, heads, lengths, Impossible(bytes), ends > 0, ends == heads.Length,
            [.. _breaks.Distinct()]);
    }

    /// <summary>For each class, <see cref="Transition.None"/> if it is not of these bytes, else null.</summary>
    private Transition?[] Impossible(ByteSet bytes)
    {
        if (!_impossible.TryGetValue(bytes, out var classes))
        {
            classes = _impossible[bytes] = new Transition?[_grammar.ClassMembers.Length];
            for (var i = 0; i < classes.Length; i++)
            {
                classes[i] = bytes.Contains(_grammar.ClassMembers[i]) ? null : Transition.None;
            }

            Grow(EntryBytes + (8 * classes.Length));
        }

        return classes;
    }

    private void Grow(long bytes)
    {
        Interlocked.Add(ref _bytes, bytes);
        _memory.Add(bytes);
    }

    private sealed class SetComparer : IEqualityComparer<(int[] Heads, TextLengths? Lengths)>
    {
        public bool Equals((int[] Heads, TextLengths? Lengths) x, (int[] Heads, TextLengths? Lengths) y) =>
            x.Heads.AsSpan().SequenceEqual(y.Heads) && Equals(x.Lengths, y.Lengths);

        public int GetHashCode((int[] Heads, TextLengths? Lengths) set)
        {
            var hash = default(HashCode);
            hash.AddBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes(set.Heads.AsSpan()));
            hash.Add(set.Lengths);
            return hash.ToHashCode();
        }
    }
}

/// <summary>The work that a grammar has cost, counted.</summary>
/// <param name="Nodes">Nodes of the token trie visited.</param>
/// <param name="Positions">Positions, and rules of values, looked at to make sets.</param>
internal readonly record struct GrammarWork(long Nodes, long Positions);
