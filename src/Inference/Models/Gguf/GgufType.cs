namespace Herd.Inference.Models.Gguf;

/// <summary>The types of metadata values, with their numbers in the format.</summary>
public enum GgufType
{
    U8 = 0,
    I8 = 1,
    U16 = 2,
    I16 = 3,
    U32 = 4,
    I32 = 5,
    F32 = 6,
    Bool = 7,
    Text = 8,
    Array = 9,
    U64 = 10,
    I64 = 11,
    F64 = 12,
}

/// <summary>An array in the metadata.</summary>
/// <param name="Type">The type of its elements.</param>
/// <param name="Count">The number of elements.</param>
/// <param name="Numbers">The elements; empty for texts, and for arrays of more than 4,096.</param>
public sealed record GgufArray(GgufType Type, long Count, IReadOnlyList<object> Numbers)
{
    /// <summary>The tokens, a character a byte, each up to its first zero byte; empty for other arrays.</summary>
    internal IReadOnlyList<string> Texts { get; init; } = [];

    /// <summary>The numbers of a vocabulary as they are in the file; empty for other arrays.</summary>
    internal ReadOnlyMemory<byte> Bytes { get; init; }
}
