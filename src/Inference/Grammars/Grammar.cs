namespace Herd.Inference.Grammars;

/// <summary>A grammar of answers over bytes, run as a nondeterministic automaton. Immutable and thread-safe.</summary>
public sealed class Grammar
{
    private readonly GrammarNode[] _nodes;
    private readonly int[] _rules;

    internal Grammar(GrammarBuilder builder, int root, TokenTrie tokens)
    {
        _nodes = builder.Nodes;
        _rules = builder.Rules;
        Root = _rules[root];
        Tokens = tokens;
    }

    internal int Root { get; }

    internal TokenTrie Tokens { get; }

    internal GrammarState Begin() => new(this);

    /// <summary>Adds all frames that take a byte and are reachable from a state without taking one.</summary>
    internal void Expand(int node, GrammarFrame? caller, List<GrammarFrame> frames)
    {
        while (true)
        {
            var here = _nodes[node];
            switch (here.Kind)
            {
                case GrammarNodeKind.Take:
                    AddNew(new GrammarFrame(node, caller), frames);
                    return;

                case GrammarNodeKind.Split:
                    Expand(here.Next, caller, frames);
                    node = here.Other;
                    break;

                case GrammarNodeKind.Call:
                    caller = new GrammarFrame(here.Next, caller);
                    node = _rules[here.Other];
                    break;

                case GrammarNodeKind.Return when caller is null:
                    AddNew(GrammarFrame.End, frames);
                    return;

                case GrammarNodeKind.Return:
                    node = caller.Node;
                    caller = caller.Caller;
                    break;
            }
        }
    }

    /// <summary>Adds the frames that follow a frame after a byte.</summary>
    internal void Take(GrammarFrame frame, byte value, List<GrammarFrame> frames)
    {
        if (frame != GrammarFrame.End && _nodes[frame.Node].Bytes.Contains(value))
        {
            Expand(_nodes[frame.Node].Next, frame.Caller, frames);
        }
    }

    private static void AddNew(GrammarFrame frame, List<GrammarFrame> frames)
    {
        foreach (var other in frames)
        {
            if (other.IsSame(frame))
            {
                return;
            }
        }

        frames.Add(frame);
    }
}

/// <summary>A frame of the automaton: a state, and the frame to return to after its rule.</summary>
internal sealed class GrammarFrame(int node, GrammarFrame? caller)
{
    /// <summary>The end: the text is complete.</summary>
    public static readonly GrammarFrame End = new(-1, null);

    public int Node => node;

    public GrammarFrame? Caller => caller;

    public bool IsSame(GrammarFrame other)
    {
        GrammarFrame? one = this, two = other;
        while (one != two)
        {
            if (one is null || two is null || one.Node != two.Node)
            {
                return false;
            }

            (one, two) = (one.Caller, two.Caller);
        }

        return true;
    }
}
