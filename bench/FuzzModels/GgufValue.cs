namespace Herd.FuzzModels;

/// <summary>A value of a header as it is written.</summary>
/// <param name="Type">The number of its type in the format.</param>
/// <param name="Data">
/// A ulong with the bits of a number or truth value, a byte[] with a text, or a list of these for an array.
/// </param>
/// <param name="ElementType">The type of the elements of an array.</param>
internal sealed record GgufValue(uint Type, object Data, uint ElementType = 0)
{
    public const uint U32 = 4;
    public const uint I32 = 5;
    public const uint F32 = 6;
    public const uint Bool = 7;
    public const uint Text = 8;
    public const uint Array = 9;

    private static readonly int[] Sizes = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];

    public static GgufValue From(uint value) => new(U32, (ulong)value);

    public static GgufValue From(float value) => new(F32, (ulong)BitConverter.SingleToUInt32Bits(value));

    public static GgufValue From(bool value) => new(Bool, value ? 1UL : 0UL);

    public static GgufValue From(string value) => new(Text, System.Text.Encoding.UTF8.GetBytes(value));

    public static GgufValue FromTexts(IEnumerable<string> texts) =>
        new(Array, texts.Select(text => (object)System.Text.Encoding.UTF8.GetBytes(text)).ToList(), Text);

    public static GgufValue FromNumbers(uint type, IEnumerable<ulong> numbers) =>
        new(Array, numbers.Select(number => (object)number).ToList(), type);

    public List<object> Elements => (List<object>)Data;

    /// <summary>Bytes of a number or truth value; 0 for other types.</summary>
    public static int Size(uint type) => type < Sizes.Length ? Sizes[type] : 0;
}
