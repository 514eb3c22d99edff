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
