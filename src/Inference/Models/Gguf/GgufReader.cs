using System.Buffers.Binary;
using System.Text;
using Herd.Inference.Runtime;

namespace Herd.Inference.Models.Gguf;

/// <summary>Reads the parts of a GGUF file, never past its end.</summary>
internal sealed class GgufReader(Stream stream, string name)
{
    private const int MaxTextBytes = 16 << 20;
    private const int MaxKeptNumbers = 4096;

    private readonly byte[] _buffer = new byte[8];

    public long Position => stream.Position;

    public long Length => stream.Length;

    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Read(4));

    public ulong ReadUInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Read(8));

    /// <summary>
    /// Reads a count of items of at least <c>minBytes</c> bytes each, all of which must be in the file.
    /// </summary>
    public long ReadCount(string what, int minBytes, long max)
    {
        var at = Position;
        var count = ReadUInt64();
        if (count > (ulong)max || (long)count > (Length - Position) / minBytes)
        {
            throw Damaged(at, $"{count} {what} cannot be in a file of {Length} bytes (at most {max} are read)");
        }

        return (long)count;
    }

    public string ReadText(string what, int max = MaxTextBytes)
    {
        var at = Position;
        var length = ReadUInt64();
        if (length > (ulong)max || (long)length > Length - Position)
        {
            throw Damaged(
                at, $"{what} has {length} bytes; {Length - Position} are left in the file and {max} are allowed");
        }

        var bytes = new byte[length];
        stream.ReadExactly(bytes);
        try
        {
            return Utf8.GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw Damaged(at, $"{what} is not UTF-8 ({e.Message})");
        }
    }

    /// <summary>Reads a value: a long, ulong or double, a bool, a string or a <see cref="GgufArray"/>.</summary>
    public object ReadValue(string key)
    {
        var at = Position;
        var type = (GgufType)ReadUInt32();
        return type == GgufType.Array ? ReadArray(key) : ReadScalar(type, key, at);
    }

    public ModelLoadException Damaged(long at, string what) => new(
        $"{name} is not a sound GGUF file: at byte {at}: {what}. Fetch the file again, or choose another.");

    private GgufArray ReadArray(string key)
    {
        var at = Position;
        var type = (GgufType)ReadUInt32();
        var size = Size(type, key, at);
        var count = ReadCount($"elements of '{key}'", type == GgufType.Text ? 8 : size, int.MaxValue);
        if (type == GgufType.Text)
        {
            return new GgufArray(type, count, []) { Texts = ReadTexts(key, count) };
        }

        if (count <= MaxKeptNumbers && !IsOfVocabulary(key))
        {
            return new GgufArray(
                type, count, [.. Enumerable.Range(0, (int)count).Select(_ => ReadScalar(type, key, Position))]);
        }

        return new GgufArray(type, count, [])
        {
            Bytes = IsOfVocabulary(key) ? ReadBytes(count * size) : Skip(count * size),
        };
    }

    private static bool IsOfVocabulary(string key) => key.StartsWith("tokenizer.ggml.", StringComparison.Ordinal);

    /// <summary>The tokens' texts, which need not be UTF-8, as llama.cpp sees them. Other texts are skipped.</summary>
    private List<string> ReadTexts(string key, long count)
    {
        var texts = new List<string>();
        for (var i = 0L; i < count; i++)
        {
            var at = Position;
            var length = ReadUInt64();
            if (length > MaxTextBytes || (long)length > Length - Position)
            {
                throw Damaged(at, $"a text in '{key}' has {length} bytes; {Length - Position} are left in the file");
            }

            if (key != GgufFile.TokensKey)
            {
                stream.Seek((long)length, SeekOrigin.Current);
                continue;
            }

            var bytes = ReadBytes((long)length);
            texts.Add(Encoding.Latin1.GetString(bytes.AsSpan() is var text && text.IndexOf((byte)0) is >= 0 and var end
                ? text[..end]
                : text));
        }

        return texts;
    }

    private byte[] ReadBytes(long count)
    {
        var bytes = new byte[count];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private byte[] Skip(long count)
    {
        stream.Seek(count, SeekOrigin.Current);
        return [];
    }

    private object ReadScalar(GgufType type, string key, long at)
    {
        if (type == GgufType.Text)
        {
            return ReadText($"'{key}'");
        }

        var bytes = Read(Size(type, key, at));
        return type switch
        {
            GgufType.U8 => (long)bytes[0],
            GgufType.I8 => (long)(sbyte)bytes[0],
            GgufType.U16 => (long)BinaryPrimitives.ReadUInt16LittleEndian(bytes),
            GgufType.I16 => (long)BinaryPrimitives.ReadInt16LittleEndian(bytes),
            GgufType.U32 => (long)BinaryPrimitives.ReadUInt32LittleEndian(bytes),
            GgufType.I32 => (long)BinaryPrimitives.ReadInt32LittleEndian(bytes),
            GgufType.U64 => BinaryPrimitives.ReadUInt64LittleEndian(bytes),
            GgufType.I64 => BinaryPrimitives.ReadInt64LittleEndian(bytes),
            GgufType.F32 => (double)BinaryPrimitives.ReadSingleLittleEndian(bytes),
            GgufType.F64 => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
            _ => bytes[0] switch
            {
                0 => false,
                1 => true,
                var other => throw Damaged(at, $"'{key}' is a truth value of {other}"),
            },
        };
    }

    private int Size(GgufType type, string key, long at) => type switch
    {
        GgufType.U8 or GgufType.I8 or GgufType.Bool => 1,
        GgufType.U16 or GgufType.I16 => 2,
        GgufType.U32 or GgufType.I32 or GgufType.F32 => 4,
        GgufType.U64 or GgufType.I64 or GgufType.F64 => 8,
        GgufType.Text => 0,
        _ => throw Damaged(at, $"'{key}' is of type {(uint)type}, which a value here cannot have"),
    };

    private ReadOnlySpan<byte> Read(int count)
    {
        if (Length - Position < count)
        {
            throw Damaged(Position, $"the file ends; {count} bytes are expected and {Length - Position} are left");
        }

        stream.ReadExactly(_buffer, 0, count);
        return _buffer.AsSpan(0, count);
    }

    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);
}
