namespace Herd.Inference.Models.Gguf.Checks;

/// <summary>
/// Multi-head latent attention (DeepSeek-V2, arXiv:2405.04434): the cache holds one latent vector of a token, so the
/// lengths of keys and values that the header gives are those of the tensors that make and read it. llama.cpp makes the
/// cache by the header, and ends the process where a product has another length.
/// </summary>
internal static class LatentAttentionCheck
{
    private const string Latents = ".attn_kv_a_mqa.weight";
    private const string Values = ".attn_v_b.weight";

    public static string? FindFault(Hyperparameters model)
    {
        var values = Lengths(model, Values, dimension: 0);
        // Without a product for the values, keys and values are expanded before they are cached.
        return values.Count == 0
            ? null
            : FindOther(model, "attention.key_length", Lengths(model, Latents, dimension: 1))
                ?? FindOther(model, "attention.value_length", values);
    }

    /// <summary>Layers with a sliding window have lengths of their own.</summary>
    private static string? FindOther(Hyperparameters model, string key, HashSet<long> lengths) =>
        new[] { key, $"{key}_swa" }
            .Where(name => model.Number(name) is { } length && !lengths.Contains(length))
            .Select(name => $"'{name}' is {model.Number(name)}; no layer has such a tensor")
            .FirstOrDefault();

    private static HashSet<long> Lengths(Hyperparameters model, string ending, int dimension) =>
    [
        .. model.File.Tensors
            .Where(tensor => tensor.Name.EndsWith(ending, StringComparison.Ordinal) && tensor.Shape.Count > dimension)
            .Select(tensor => tensor.Shape[dimension]),
    ];
}
