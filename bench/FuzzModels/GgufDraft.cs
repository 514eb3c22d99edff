using System.Text;
using Herd.Inference.Models.Gguf;

namespace Herd.FuzzModels;

/// <summary>The header of a model's file, which can be changed freely and need not be sound.</summary>
internal sealed class GgufDraft
{
    private const long MaxDataBytes = 1L << 36;

    public List<(string Key, GgufValue Value)> Metadata { get; private init; } = [];

    public List<Tensor> Tensors { get; private init; } = [];

    public string Architecture =>
        Find("general.architecture")?.Data is byte[] text ? Encoding.UTF8.GetString(text) : "";

    public GgufValue? Find(string key) => Metadata.FirstOrDefault(pair => pair.Key == key).Value;

    public GgufDraft Set(string key, GgufValue value)
    {
        var at = Metadata.FindIndex(pair => pair.Key == key);
        if (at < 0)
        {
            Metadata.Add((key, value));
        }
        else
        {
            Metadata[at] = (key, value);
        }

        return this;
    }

    public GgufDraft Remove(string key)
    {
        Metadata.RemoveAll(pair => pair.Key == key);
        return this;
    }

    /// <summary>A copy; lists of elements are copied when they are changed.</summary>
    public GgufDraft Copy() => new() { Metadata = [.. Metadata], Tensors = [.. Tensors] };

    public static GgufDraft Read(string path)
    {
        using var reader = new BinaryReader(File.OpenRead(path));
        reader.ReadUInt64();
        var tensors = reader.ReadUInt64();
        var metadata = reader.ReadUInt64();
        var draft = new GgufDraft();
        for (var i = 0UL; i < metadata; i++)
        {
            var key = Encoding.UTF8.GetString(ReadText(reader));
            draft.Metadata.Add((key, ReadValue(reader, reader.ReadUInt32())));
        }

        for (var i = 0UL; i < tensors; i++)
        {
            var name = Encoding.UTF8.GetString(ReadText(reader));
            var shape = new long[reader.ReadUInt32()];
            for (var d = 0; d < shape.Length; d++)
            {
                shape[d] = reader.ReadInt64();
            }

            draft.Tensors.Add(new Tensor(name, shape, reader.ReadUInt32()));
            reader.ReadUInt64();
        }

        return draft;
    }

    /// <summary>The header, whose tensors follow each other, and the length of the whole file.</summary>
    public (byte[] Header, long Length) ToBytes()
    {
        using var memory = new MemoryStream();
        using var writer = new BinaryWriter(memory);
        writer.Write("GGUF"u8);
        writer.Write(3);
        writer.Write((ulong)Tensors.Count);
        writer.Write((ulong)Metadata.Count);
        foreach (var (key, value) in Metadata)
        {
            WriteText(writer, Encoding.UTF8.GetBytes(key));
            writer.Write(value.Type);
            WriteValue(writer, value);
        }

        var alignment = Alignment();
        var next = 0L;
        foreach (var tensor in Tensors)
        {
            WriteText(writer, Encoding.UTF8.GetBytes(tensor.Name));
            writer.Write((uint)tensor.Shape.Length);
            Array.ForEach(tensor.Shape, writer.Write);
            writer.Write(tensor.Type);
            writer.Write(next);
            next = RoundUp(Math.Min(next + tensor.Bytes, MaxDataBytes), alignment);
        }

        return (memory.ToArray(), RoundUp(memory.Length, alignment) + next);
    }

    /// <summary>Writes a header and a file of the length, whose data takes no space on disk.</summary>
    public static void Write(string path, byte[] header, long length)
    {
        using var file = File.Create(path);
        file.Write(header);
        file.SetLength(Math.Max(length, header.Length));
    }

    private long Alignment() =>
        Find("general.alignment") is { Type: GgufValue.U32, Data: ulong value and > 0 and < 1 << 21 }
            ? (long)value
            : 32;

    private static long RoundUp(long value, long alignment) => (value + alignment - 1) / alignment * alignment;

    private static byte[] ReadText(BinaryReader reader) => reader.ReadBytes((int)reader.ReadUInt64());

    private static GgufValue ReadValue(BinaryReader reader, uint type)
    {
        if (type != GgufValue.Array)
        {
            return new GgufValue(type, ReadElement(reader, type));
        }

        var element = reader.ReadUInt32();
        var count = reader.ReadUInt64();
        var elements = new List<object>();
        for (var i = 0UL; i < count; i++)
        {
            elements.Add(ReadElement(reader, element));
        }

        return new GgufValue(type, elements, element);
    }

    private static object ReadElement(BinaryReader reader, uint type) => GgufValue.Size(type) switch
    {
        1 => (ulong)reader.ReadByte(),
        2 => (ulong)reader.ReadUInt16(),
        4 => (ulong)reader.ReadUInt32(),
        8 => reader.ReadUInt64(),
        _ => ReadText(reader),
    };

    private static void WriteValue(BinaryWriter writer, GgufValue value)
    {
        if (value.Data is not List<object> elements)
        {
            WriteElement(writer, value.Type, value.Data);
            return;
        }

        writer.Write(value.ElementType);
        writer.Write((ulong)elements.Count);
        elements.ForEach(element => WriteElement(writer, value.ElementType, element));
    }

    private static void WriteElement(BinaryWriter writer, uint type, object data)
    {
        switch (data)
        {
            case byte[] text:
                WriteText(writer, text);
                break;
            case ulong number:
                writer.Write(BitConverter.GetBytes(number).AsSpan(0, GgufValue.Size(type)));
                break;
        }
    }

    private static void WriteText(BinaryWriter writer, byte[] text)
    {
        writer.Write((ulong)text.Length);
        writer.Write(text);
    }

    /// <param name="Name">Its name.</param>
    /// <param name="Shape">Its dimensions.</param>
    /// <param name="Type">The number of its type in ggml.</param>
    internal sealed record Tensor(string Name, long[] Shape, uint Type)
    {
        /// <summary>The length of the data, at most that of a file that may be written.</summary>
        public long Bytes
        {
            get
            {
                var block = GgmlTypes.TryGet((int)Type, out var known) ? known : (Elements: 1, Bytes: 4);
                var elements = (Int128)1;
                foreach (var dimension in Shape)
                {
                    elements = Int128.Clamp(elements * Math.Max(dimension, 0), 0, MaxDataBytes);
                }

                return (long)(elements / block.Elements * block.Bytes);
            }
        }
    }
}
