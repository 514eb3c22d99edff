namespace Herd.Inference.Grammars;

/// <summary>
/// A level that waits for a deeper one to end. Immutable, so texts share those that they have in common.
/// </summary>
internal sealed class Frame(LevelState state, int count, Frame? caller)
{
    public LevelState State => state;

    public int Count => count;

    public Frame? Caller => caller;
}

/// <summary>
/// A place in a text under a grammar: the positions in the deepest level, its count, and the levels that wait for it.
/// </summary>
/// <param name="State">The positions in the deepest level.</param>
/// <param name="Count">The level's count.</param>
/// <param name="Caller">The levels that wait, deepest first; null if there are none.</param>
internal readonly record struct Cursor(LevelState State, int Count, Frame? Caller)
{
    /// <summary>Stands for the levels that wait where they are unknown.</summary>
    public static readonly Frame Unknown = new(null!, 0, null);

    /// <summary>True if the text may end here.</summary>
    public bool IsComplete
    {
        get
        {
            var at = this;
            while (at.State.CanEnd && at.Caller is { } caller)
            {
                at = new Cursor(at.State.Owner.Return(caller.State, at.State, at.Count), caller.Count, caller.Caller);
            }

            return at.State.CanEnd && at.Caller is null;
        }
    }

    /// <summary>The same place, without levels that can only end.</summary>
    public Cursor WithoutEnded
    {
        get
        {
            var at = this;
            while (at.State.MustEnd && at.Caller is { } caller)
            {
                at = new Cursor(at.State.Owner.Return(caller.State, at.State, at.Count), caller.Count, caller.Caller);
            }

            return at;
        }
    }

    /// <summary>True if any plain text (<see cref="TokenTrie.IsPlain"/>) of a length leads back here.</summary>
    public bool TakesPlain(int length) => Count + length <= State.PlainLimit;

    /// <summary>Takes a byte.</summary>
    /// <param name="byteClass">The byte's class.</param>
    /// <param name="next">The place after the byte.</param>
    /// <param name="ended">
    /// If the byte is not taken because it belongs to a level that is unknown: the place where the deepest level ended.
    /// Else null.
    /// </param>
    /// <returns>False if the byte is not taken.</returns>
    public bool TryTake(int byteClass, out Cursor next, out Cursor? ended)
    {
        var at = this;
        while (true)
        {
            var follows = at.State.Follow(byteClass, at.Count);
            if (follows.Target is { } target && at.Count < follows.Limit)
            {
                ended = null;
                next = follows.Begins
                    ? new Cursor(target, 0, new Frame(at.State, at.Count, at.Caller))
                    : new Cursor(target, follows.Counts ? at.Count + 1 : at.Count, at.Caller);
                return true;
            }

            ended = at.State.CanEnd && at.Caller == Unknown ? at : null;
            if (!at.State.CanEnd || at.Caller is not { } caller || ended is not null)
            {
                next = default;
                return false;
            }

            at = new Cursor(at.State.Owner.Return(caller.State, at.State, at.Count), caller.Count, caller.Caller);
        }
    }

    /// <summary>Takes the bytes of a token.</summary>
    /// <returns>False if they are not taken.</returns>
    public bool TryTake(ReadOnlySpan<byte> bytes, out Cursor next)
    {
        next = this;
        var classes = State.Owner.Classes;
        foreach (var value in bytes)
        {
            if (!next.TryTake(classes[value], out next, out _))
            {
                return false;
            }
        }

        next = next.WithoutEnded;
        return true;
    }
}
