using System.Runtime.InteropServices;
using System.Text;

namespace Herd.Testing;

/// <summary>Writes GGUF files, version 3: header, metadata, tensor descriptions, then aligned tensor data.</summary>
public sealed class GgufWriter
{
    private const int Alignment = 32;
    private const uint Float32 = 0;

    private readonly List<(string Key, object Value)> _metadata = [];
    private readonly List<(string Name, long[] Shape, float[] Data)> _tensors = [];

    /// <summary>
    /// Adds metadata, or replaces it: a string, uint, float, bool, or an array of strings, bytes, ints or floats.
    /// </summary>
    public GgufWriter Set(string key, object value)
    {
        _metadata.RemoveAll(pair => pair.Key == key);
        return Add(key, value);
    }

    /// <summary>Renames the architecture, in the keys too.</summary>
    public GgufWriter SetArchitecture(string before, string after)
    {
        for (var i = 0; i < _metadata.Count; i++)
        {
            if (_metadata[i].Key.StartsWith(before + ".", StringComparison.Ordinal))
            {
                _metadata[i] = (after + _metadata[i].Key[before.Length..], _metadata[i].Value);
            }
        }

        return Set("general.architecture", after);
    }

    /// <summary>Removes the tensors whose name has a text.</summary>
    public GgufWriter RemoveTensors(string text)
    {
        _tensors.RemoveAll(tensor => tensor.Name.Contains(text, StringComparison.Ordinal));
        return this;
    }

    /// <summary>Adds metadata, also if the key is there already.</summary>
    public GgufWriter Add(string key, object value)
    {
        _metadata.Add((key, value));
        return this;
    }

    /// <summary>Adds a tensor of 32-bit floats; the first dimension is the fastest.</summary>
    public GgufWriter Add(string name, float[] data, params long[] shape)
    {
        _tensors.Add((name, shape, data));
        return this;
    }

    public void Write(string path)
    {
        using var file = File.Create(path);
        using var writer = new BinaryWriter(file);
        writer.Write("GGUF"u8);
        writer.Write(3u);
        writer.Write((ulong)_tensors.Count);
        writer.Write((ulong)_metadata.Count);
        foreach (var (key, value) in _metadata)
        {
            WriteString(writer, key);
            WriteValue(writer, value);
        }

        WriteDescriptions(writer);
        foreach (var (_, _, data) in _tensors)
        {
            Align(writer);
            writer.Write(MemoryMarshal.AsBytes(data.AsSpan()));
        }
    }

    private void WriteDescriptions(BinaryWriter writer)
    {
        var offset = 0L;
        foreach (var (name, shape, data) in _tensors)
        {
            WriteString(writer, name);
            writer.Write((uint)shape.Length);
            foreach (var dimension in shape)
            {
                writer.Write(dimension);
            }

            writer.Write(Float32);
            writer.Write(offset);
            offset += RoundUp(data.Length * sizeof(float));
        }
    }

    private static void WriteValue(BinaryWriter writer, object value)
    {
        writer.Write(TypeOf(value));
        switch (value)
        {
            case uint number: writer.Write(number); break;
            case float number: writer.Write(number); break;
            case bool flag: writer.Write(flag); break;
            case string text: WriteString(writer, text); break;
            case string[] texts: WriteArray(writer, texts, 8, text => WriteString(writer, text)); break;
            case byte[] numbers: WriteArray(writer, numbers, 0, writer.Write); break;
            case int[] numbers: WriteArray(writer, numbers, 5, writer.Write); break;
            case float[] numbers: WriteArray(writer, numbers, 6, writer.Write); break;
        }
    }

    private static uint TypeOf(object value) => value switch
    {
        uint => 4,
        float => 6,
        bool => 7,
        string => 8,
        Array => 9,
        _ => throw new ArgumentException($"{value.GetType()} is not written to GGUF files here.", nameof(value)),
    };

    private static void WriteArray<T>(BinaryWriter writer, T[] items, uint type, Action<T> write)
    {
        writer.Write(type);
        writer.Write((ulong)items.Length);
        Array.ForEach(items, write);
    }

    private static void WriteString(BinaryWriter writer, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }

    private static void Align(BinaryWriter writer)
    {
        var position = writer.BaseStream.Position;
        writer.Write(new byte[RoundUp(position) - position]);
    }

    private static long RoundUp(long value) => (value + Alignment - 1) / Alignment * Alignment;
}
