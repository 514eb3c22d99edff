namespace Herd.Inference.Models.Gguf.Checks;

/// <summary>Attention heads share the embedding and the KV heads evenly, and each layer has some.</summary>
internal static class HeadCheck
{
    public static string? FindFault(Hyperparameters model)
    {
        var embedding = model.Number("embedding_length") ?? 0;
        var heads = model.PerLayer("attention.head_count");
        var kvHeads = model.PerLayer("attention.head_count_kv");
        var (key, value) = (model.Number("attention.key_length"), model.Number("attention.value_length"));
        return model.Number("embedding_length_out") is { } output && output > embedding
                ? $"an output of {output} is longer than the embedding of {embedding}"
            : heads.Any(count => count > embedding)
                ? $"there are more attention heads than an embedding of {embedding} has elements"
            : key is null && heads.Any(count => count > 0 && embedding % count != 0)
                ? $"an embedding of {embedding} cannot be shared by {string.Join(", ", heads.Distinct())} heads"
            : heads.Zip(kvHeads).Any(pair => pair.Second > 0 && pair.First % pair.Second != 0)
                ? "the attention heads cannot share the KV heads evenly"
            : !Architectures.Has(model.Architecture, Traits.LayersWithoutHeads)
                && (heads.Contains(0) || heads.Zip(kvHeads).Any(pair => pair.First > 0 && pair.Second == 0))
                ? "a layer has no attention heads or no KV heads"
            : Architectures.Has(model.Architecture, Traits.EqualHeads) && SizeOf(key) != SizeOf(value)
                ? $"keys of {SizeOf(key)} and values of {SizeOf(value)} elements differ"
            : null;

        long SizeOf(long? given) => given ?? (heads.Count > 0 && heads[0] > 0 ? embedding / heads[0] : 0);
    }
}
