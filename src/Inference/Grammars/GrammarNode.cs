namespace Herd.Inference.Grammars;

internal enum GrammarNodeKind : byte
{
    /// <summary>Takes a byte of a set.</summary>
    Take,

    /// <summary>Goes on at two positions.</summary>
    Split,

    /// <summary>Calls a value: one of its rules reads the text that follows, a level deeper.</summary>
    Call,

    /// <summary>The end of a rule.</summary>
    End,
}

/// <summary>A position in a rule.</summary>
/// <param name="Kind">The kind of position.</param>
/// <param name="Next">The position that follows.</param>
/// <param name="Other">
/// Of <see cref="GrammarNodeKind.Take"/> the byte set, of <see cref="GrammarNodeKind.Split"/> the second position, of
/// <see cref="GrammarNodeKind.Call"/> the value, of <see cref="GrammarNodeKind.End"/> the rule; each by its number.
/// </param>
/// <param name="Taking">
/// What else <see cref="GrammarNodeKind.Take"/> demands and does, and <see cref="GrammarNodeKind.Call"/> demands.
/// </param>
internal readonly record struct GrammarNode(GrammarNodeKind Kind, int Next, int Other, Counting? Taking = null);

/// <summary>
/// How taking a byte depends on the level's count: of characters in a string, of commas in an array, of white space.
/// All positions of a level agree about it, so a level has one count, and a repetition needs no copies.
/// </summary>
/// <param name="Counts">True if taking the byte adds 1 to the count.</param>
/// <param name="Min">The byte is taken only at this count or a higher one.</param>
/// <param name="Max">The byte is taken only at this count or a lower one.</param>
/// <param name="Bounded">Which byte of a bounded string it is; <see cref="BoundedByte.None"/> for other bytes.</param>
internal sealed record Counting(
    bool Counts, int Min = 0, int Max = int.MaxValue, BoundedByte Bounded = BoundedByte.None)
{
    public static readonly Counting One = new(Counts: true);

    public static readonly Counting FirstOfCharacter = new(Counts: true, Bounded: BoundedByte.First);
    public static readonly Counting InCharacter = new(Counts: false, Bounded: BoundedByte.Inside);
    public static readonly Counting BoundedClose = new(Counts: false, Bounded: BoundedByte.Close);

    /// <summary>The counts at which <c>Min</c> and <c>Max</c> begin or cease to allow the byte.</summary>
    public int[] Breaks { get; } = TextLengths.BreaksOf([new TextBounds(Min, Max)]);

    public bool Allows(int count) => count >= Min && count <= Max;
}

/// <summary>
/// A byte of a string whose length is bounded by the values that it is read for (<see cref="TextLengths"/>). So strings
/// of other lengths have the same positions.
/// </summary>
internal enum BoundedByte : byte
{
    None,

    /// <summary>The first byte of a character: taken below the maximum length.</summary>
    First,

    /// <summary>A further byte of a character: taken up to the maximum length.</summary>
    Inside,

    /// <summary>The closing quote: taken at the lengths that are allowed.</summary>
    Close,
}

/// <summary>
/// A schema cannot be compiled to a grammar. The message states the reason and follows the words "the schema".
/// </summary>
public sealed class GrammarException(string message) : Exception(message);
