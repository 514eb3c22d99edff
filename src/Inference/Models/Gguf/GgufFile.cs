using Herd.Inference.Models.Gguf.Checks;
using Herd.Inference.Runtime;

namespace Herd.Inference.Models.Gguf;

/// <summary>
/// The description in a GGUF file (versions 2 and 3, little-endian). Every count, length, offset and size is checked
/// against the file. This is the first reader of a model's file, so llama.cpp sees only sound files.
/// </summary>
public sealed class GgufFile
{
    private const string TemplateKey = "tokenizer.chat_template";
    internal const string TokensKey = "tokenizer.ggml.tokens";

    private const int MaxMetadata = 8192;
    private const int MaxTensors = 65_536;
    private const int MaxKeyBytes = 65_535;
    private const int MaxTensorNameBytes = 63;
    private const int MaxDimensions = 4;
    private const int MinMetadataBytes = 8 + 4 + 1;
    private const int MinTensorBytes = 8 + 4 + 8 + 4 + 8;
    private const int DefaultAlignment = 32;
    private const int MaxAlignment = 1 << 20;

    private readonly Dictionary<string, object> _metadata;

    private GgufFile(Dictionary<string, object> metadata, IReadOnlyList<GgufTensor> tensors)
    {
        _metadata = metadata;
        Tensors = tensors;
    }

    public IReadOnlyDictionary<string, object> Metadata => _metadata;

    public IReadOnlyList<GgufTensor> Tensors { get; }

    /// <summary>The architecture, such as <c>llama</c>. It is the prefix of the keys of its metadata.</summary>
    public string Architecture => (string)_metadata["general.architecture"];

    /// <summary>The size of all tensors in bytes.</summary>
    public long WeightBytes => Tensors.Sum(tensor => tensor.Bytes);

    /// <summary>Reads the description of a file, without the data of its tensors.</summary>
    /// <exception cref="ModelLoadException">
    /// The file is missing or damaged. The message states where and why.
    /// </exception>
    public static GgufFile Read(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
            return Read(file, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelLoadException($"The model file {path} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Reads the description of a model that chats.</summary>
    /// <exception cref="ModelLoadException">The file is missing or damaged, or has no chat template.</exception>
    public static GgufFile ReadForChat(string path)
    {
        var file = Read(path);
        return file.Metadata.ContainsKey(TemplateKey)
            ? file
            : throw new ModelLoadException($"{path} has no chat template. Choose a chat or instruct model.");
    }

    /// <summary>Reads a description from the start of a stream.</summary>
    /// <param name="stream">The whole file. The stream must support seeking.</param>
    /// <param name="name">The name of the file in error messages.</param>
    /// <exception cref="ModelLoadException">The file is damaged.</exception>
    public static GgufFile Read(Stream stream, string name)
    {
        var reader = new GgufReader(stream, name);
        if (reader.ReadUInt32() != 0x46554747)
        {
            throw reader.Damaged(0, "it does not begin with 'GGUF'");
        }

        if (reader.ReadUInt32() is not (2 or 3) and var version)
        {
            throw reader.Damaged(4, $"version {version} is not read here; versions 2 and 3 are");
        }

        var tensorCount = reader.ReadCount("tensors", MinTensorBytes, MaxTensors);
        var metadata = ReadMetadata(reader);
        var tensors = ReadTensors(reader, tensorCount);
        var file = new GgufFile(metadata, tensors);
        file.CheckMetadata(reader);
        file.CheckTensors(reader);
        return GgufChecks.FindFault(file) is { } fault ? throw reader.Damaged(reader.Position, fault) : file;
    }

    /// <summary>An integer of the metadata; null if it is missing or of another type.</summary>
    public long? Number(string key) => _metadata.GetValueOrDefault(key) switch
    {
        long number => number,
        ulong number and <= long.MaxValue => (long)number,
        _ => null,
    };

    private static Dictionary<string, object> ReadMetadata(GgufReader reader)
    {
        var count = reader.ReadCount("metadata", MinMetadataBytes, MaxMetadata);
        var metadata = new Dictionary<string, object>(StringComparer.Ordinal);
        for (var i = 0; i < count; i++)
        {
            var at = reader.Position;
            var key = reader.ReadText("a key", MaxKeyBytes);
            if (!metadata.TryAdd(key, reader.ReadValue(key)))
            {
                throw reader.Damaged(at, $"'{key}' comes twice");
            }
        }

        return metadata;
    }

    private static List<GgufTensor> ReadTensors(GgufReader reader, long count)
    {
        var tensors = new List<GgufTensor>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0L; i < count; i++)
        {
            var at = reader.Position;
            var name = reader.ReadText("a tensor's name", MaxTensorNameBytes);
            if (!names.Add(name))
            {
                throw reader.Damaged(at, $"the tensor '{name}' comes twice");
            }

            tensors.Add(ReadTensor(reader, name));
        }

        return tensors;
    }

    private static GgufTensor ReadTensor(GgufReader reader, string name)
    {
        var at = reader.Position;
        var dimensions = reader.ReadUInt32();
        if (dimensions is 0 or > MaxDimensions)
        {
            throw reader.Damaged(
                at, $"the tensor '{name}' has {dimensions} dimensions; 1 to {MaxDimensions} are possible");
        }

        var shape = new long[dimensions];
        for (var i = 0; i < shape.Length; i++)
        {
            shape[i] = (long)Math.Min(reader.ReadUInt64(), long.MaxValue);
        }

        at = reader.Position;
        var type = (int)Math.Min(reader.ReadUInt32(), int.MaxValue);
        var offset = (long)Math.Min(reader.ReadUInt64(), long.MaxValue);
        if (!GgmlTypes.TryGet(type, out var block)
            || (GgmlTypes.IsForTables(type) && name.EndsWith(".weight", StringComparison.Ordinal)))
        {
            throw reader.Damaged(at, $"the tensor '{name}' is of type {type}, which llama.cpp does not take there");
        }

        return new GgufTensor(name, shape, type, offset, Bytes(reader, name, shape, block));
    }

    private static long Bytes(GgufReader reader, string name, long[] shape, (int Elements, int Bytes) block)
    {
        // The length of the file bounds every dimension, so the product cannot overflow.
        var max = (Int128)reader.Length / block.Bytes * block.Elements;
        Int128 elements = 1;
        foreach (var dimension in shape)
        {
            elements *= dimension;
            if (dimension == 0 || elements > max)
            {
                throw reader.Damaged(
                    reader.Position,
                    $"the tensor '{name}' of [{string.Join(", ", shape)}] cannot be in a file of {reader.Length} "
                    + "bytes");
            }
        }

        return shape[0] % block.Elements == 0
            ? (long)(elements / block.Elements * block.Bytes)
            : throw reader.Damaged(
                reader.Position, $"rows of {shape[0]} in the tensor '{name}' are not whole blocks of {block.Elements}");
    }

    private void CheckMetadata(GgufReader reader)
    {
        if (_metadata.GetValueOrDefault("general.architecture") is not string { Length: > 0 })
        {
            throw reader.Damaged(reader.Position, "'general.architecture' is missing or no text");
        }

        if (Number("split.count") is > 1 and var parts)
        {
            throw reader.Damaged(
                reader.Position,
                $"it is one of {parts} parts; merge them into one file first (llama-gguf-split --merge)");
        }

        var tokens = Count(TokensKey, GgufType.Text);
        foreach (var (key, type) in new[] { ("scores", GgufType.F32), ("token_type", GgufType.I32) })
        {
            if (Count($"tokenizer.ggml.{key}", type) is { } count && count != tokens)
            {
                throw reader.Damaged(
                    reader.Position, $"'tokenizer.ggml.{key}' has {count} elements for {tokens} tokens");
            }
        }

        foreach (var key in _metadata.Keys.Where(IsTokenId))
        {
            if (tokens is not null && Number(key) is { } id && (id < 0 || id >= tokens) && id != uint.MaxValue
                && id != -1)
            {
                throw reader.Damaged(reader.Position, $"'{key}' is {id}, but there are {tokens} tokens");
            }
        }

        static bool IsTokenId(string key) =>
            key.StartsWith("tokenizer.ggml.", StringComparison.Ordinal)
                && key.EndsWith("_token_id", StringComparison.Ordinal);

        long? Count(string key, GgufType type) => _metadata.GetValueOrDefault(key) switch
        {
            null => null,
            GgufArray array when array.Type == type => array.Count,
            _ => throw reader.Damaged(reader.Position, $"'{key}' is not an array of {type}"),
        };
    }

    private void CheckTensors(GgufReader reader)
    {
        var alignment = _metadata.ContainsKey("general.alignment")
            ? Number("general.alignment") ?? 0
            : DefaultAlignment;
        if (alignment is < DefaultAlignment or > MaxAlignment || !System.Numerics.BitOperations.IsPow2(alignment))
        {
            throw reader.Damaged(
                reader.Position,
                $"an alignment of {alignment} is not a power of two from {DefaultAlignment} to {MaxAlignment}");
        }

        // llama.cpp requires each tensor to begin where the one before ends, so that none overlap.
        var data = RoundUp(reader.Position);
        var next = 0L;
        foreach (var tensor in Tensors)
        {
            if (tensor.Offset != next)
            {
                throw reader.Damaged(
                    data,
                    $"the tensor '{tensor.Name}' is said to begin at {tensor.Offset}; the ones before end at {next}");
            }

            if (tensor.Bytes > reader.Length - data - tensor.Offset)
            {
                throw reader.Damaged(
                    data,
                    $"the tensor '{tensor.Name}' takes {tensor.Bytes} bytes from {data + tensor.Offset} on; the file "
                    + $"ends at {reader.Length}");
            }

            next = RoundUp(tensor.Offset + tensor.Bytes);
        }

        long RoundUp(long value) => (value + alignment - 1) / alignment * alignment;
    }
}
