namespace Herd.Inference.Grammars;

/// <summary>
/// The set of positions at which a text may be in the rules of one level of nesting. Two texts with the same set go on
/// alike, so sets exist once and remember what follows them. Immutable but for that memory.
/// </summary>
/// <param name="owner">The sets of the grammar.</param>
/// <param name="heads">The positions, ascending. Each takes a byte, calls a value, or ends its rule.</param>
/// <param name="lengths">The lengths that the callers of a string allow; null in other levels.</param>
/// <param name="follows">
/// For each class of bytes: <see cref="Transition.None"/> if no position takes it at any count, else null.
/// </param>
/// <param name="canEnd">True if a rule is complete here.</param>
/// <param name="mustEnd">True if all positions end their rules.</param>
/// <param name="breaks">The counts at which the following bytes change, ascending.</param>
internal sealed class LevelState(
    LevelStates owner,
    int[] heads,
    TextLengths? lengths,
    Transition?[] follows,
    bool canEnd,
    bool mustEnd,
    int[] breaks)
{
    private Transition?[]?[]? _follows;
    private int[]? _allBreaks;
    private int[]? _lengthBreaks;

    public LevelStates Owner => owner;

    public int[] Heads => heads;

    public TextLengths? Lengths => lengths;

    public bool CanEnd => canEnd;

    public bool MustEnd => mustEnd;

    public int[] Breaks => breaks;

    /// <summary>
    /// If each plain byte (<see cref="TokenTrie.IsPlain"/>) leads back to the set: the count up to which it does. -1
    /// otherwise.
    /// </summary>
    public int PlainLimit
    {
        get => field == int.MinValue ? field = owner.PlainLimit(this) : field;
    }
        = int.MinValue;

    /// <summary>What follows when a byte of a class comes at a count.</summary>
    public Transition Follow(int byteClass, int count)
    {
        var range = breaks.Length == 0 ? 0 : Range(breaks, count);
        return Volatile.Read(ref _follows)?[range]?[byteClass]
            ?? follows[byteClass]
            ?? owner.Follow(this, range, byteClass);
    }

    /// <summary>
    /// A number that is the same for two counts if all texts of a length go on alike from both, whatever the level's
    /// rules demand of its count.
    /// </summary>
    public int CountClass(int count, int length)
    {
        var all = _allBreaks ??= owner.AllBreaks(this);
        var range = Range(all, count);
        return range < all.Length && all[range] - (long)count <= length ? count : -1 - range;
    }

    /// <summary>
    /// A number that is the same for two lengths of a string if the same positions that call it allow them.
    /// </summary>
    public int LengthClass(int length) => Range(_lengthBreaks ??= owner.LengthBreaks(this), length);

    /// <summary>Remembers what follows. Called by one thread at a time.</summary>
    /// <returns>The bytes that this takes, estimated.</returns>
    public int Remember(int range, int byteClass, Transition made)
    {
        var bytes = made == Transition.None ? 0 : 48;
        if (_follows is null)
        {
            bytes += 8 * (breaks.Length + 1);
            Volatile.Write(ref _follows, new Transition[breaks.Length + 1][]);
        }

        if (_follows[range] is not { } row)
        {
            bytes += 8 * follows.Length;
            Volatile.Write(ref _follows[range], row = [.. follows]);
        }

        Volatile.Write(ref row[byteClass], made);
        return bytes;
    }

    public bool HasMemory => _follows is not null;

    public void Forget() => _follows = null;

    /// <summary>The number of breaks that are not above a count.</summary>
    private static int Range(int[] breaks, int count)
    {
        var found = Array.BinarySearch(breaks, count);
        return found >= 0 ? found + 1 : ~found;
    }
}

/// <summary>What follows when a byte comes.</summary>
/// <param name="Target">The positions after it; null if no position takes it.</param>
/// <param name="Begins">True if they are those of a level that begins with the byte.</param>
/// <param name="Counts">True if the byte adds 1 to the level's count.</param>
/// <param name="Limit">The byte comes only below this count.</param>
internal sealed record Transition(LevelState? Target, bool Begins, bool Counts, int Limit)
{
    public static readonly Transition None = new(null, false, false, 0);
}
