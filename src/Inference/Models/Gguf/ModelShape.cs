namespace Herd.Inference.Models.Gguf;

/// <summary>The sizes of a transformer, which determine its KV cache and compute buffers.</summary>
/// <param name="Layers">Blocks, 1 to 512.</param>
/// <param name="Embedding">Width of the residual stream.</param>
/// <param name="FeedForward">Width between the layers of a block; 0 if not given.</param>
/// <param name="Vocabulary">The number of tokens.</param>
/// <param name="ContextLength">The context length of training, in tokens.</param>
/// <param name="KvElementsPerToken">
/// Keys and values of one token over all layers; 0 for models without attention.
/// </param>
public sealed record ModelShape(
    int Layers, int Embedding, int FeedForward, int Vocabulary, int ContextLength, long KvElementsPerToken)
{
    private const int MaxLayers = 512;
    private const int MaxWidth = 1 << 24;

    public static ModelShape Read(GgufFile file)
    {
        var layers = Size(file, "block_count");
        var embedding = Size(file, "embedding_length");
        var heads = Heads(file, "attention.head_count", layers);
        var kvHeads = Heads(file, "attention.head_count_kv", layers);
        kvHeads = kvHeads.Count > 0 ? kvHeads : heads;
        var size = heads.Count > 0 && heads.Max() > 0 ? embedding / heads.Max() : 0;
        var key = Number(file, "attention.key_length") ?? size;
        var value = Number(file, "attention.value_length") ?? size;
        return new ModelShape(
            layers,
            embedding,
            Size(file, "feed_forward_length"),
            (int)(file.Metadata.GetValueOrDefault(GgufFile.TokensKey) is GgufArray tokens
                ? tokens.Count
                : Size(file, "vocab_size")),
            Size(file, "context_length"),
            kvHeads.Sum(count => count * (key + value)));
    }

    /// <summary>
    /// A defect at which llama.cpp would end the process instead of rejecting the file; null if none.
    /// </summary>
    internal static string? Fault(GgufFile file)
    {
        var layers = Number(file, "block_count") ?? 0;
        var embedding = Number(file, "embedding_length") ?? 0;
        var heads = Heads(file, "attention.head_count", layers);
        var kvHeads = Heads(file, "attention.head_count_kv", layers);
        var isOdd = file.Metadata.FirstOrDefault(pair => pair.Value is double number
            && pair.Key.EndsWith("_epsilon", StringComparison.Ordinal) && !(number >= 0 && double.IsFinite(number)));
        return layers is < 1 or > MaxLayers ? $"{layers} blocks are not 1 to {MaxLayers}"
            : embedding is < 1 or > MaxWidth ? $"an embedding of {embedding} is not 1 to {MaxWidth}"
            : heads.Any(count => count < 0 || count > embedding)
                ? "the number of attention heads is negative or above the embedding"
            : Number(file, "attention.key_length") is null && heads.Any(count => count > 0 && embedding % count != 0)
                ? $"an embedding of {embedding} cannot be shared by {string.Join(", ", heads.Distinct())} heads"
            : heads.Zip(kvHeads).Any(pair => pair.Second < 0 || (pair.Second > 0 && pair.First % pair.Second != 0))
                ? "the attention heads cannot share the KV heads evenly"
            : isOdd.Key is not null ? $"'{isOdd.Key}' is {isOdd.Value}"
            : Number(file, "expert_used_count") is { } used && used > (Number(file, "expert_count") ?? 0)
                ? $"{used} experts of {Number(file, "expert_count") ?? 0} are used"
            : null;
    }

    /// <summary>A number for all layers, or one for each.</summary>
    private static List<long> Heads(GgufFile file, string key, long layers) =>
        file.Metadata.GetValueOrDefault($"{file.Architecture}.{key}") switch
        {
            GgufArray array => [.. array.Numbers.OfType<long>()],
            long count => [.. Enumerable.Repeat(count, (int)Math.Clamp(layers, 0, MaxLayers))],
            _ => [],
        };

    private static long? Number(GgufFile file, string key) => file.Number($"{file.Architecture}.{key}");

    private static int Size(GgufFile file, string key) => (int)Math.Clamp(Number(file, key) ?? 0, 0, int.MaxValue);
}
