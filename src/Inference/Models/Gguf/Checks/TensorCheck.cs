namespace Herd.Inference.Models.Gguf.Checks;

/// <summary>
/// Tensors that are used element by element are f32: norms, biases, convolutions, factors, and all of one dimension.
/// llama.cpp finds another type only when it computes, and ends the process then.
/// </summary>
internal static class TensorCheck
{
    private const int F32 = 0;

    /// <summary>The map from the tokens of a draft model to those of its target, an integer each.</summary>
    private const string DraftTokens = "d2t";

    /// <summary>Parts of names; those of llama.cpp's table of tensors (<c>llama-arch.cpp</c>).</summary>
    private static readonly string[] Parts =
    [
        "norm", "conv1d", "conv_base", "shortconv.conv", "time_mix_lerp", "channel_mix_lerp", "time_mix_first",
        "time_mix_k_", "time_mix_r_k", "_scale", "_score", "hc_attn_base", "hc_ffn_base", "exp_probs_b", "rope_f",
        "attn_sinks",
    ];

    private static readonly string[] Endings = [".bias", ".ssm_a", ".ssm_d"];

    public static string? FindFault(Hyperparameters model) =>
        model.File.Tensors.FirstOrDefault(tensor => tensor.Type != F32 && IsOfElements(tensor)) is { } odd
            ? $"the tensor '{odd.Name}' is of type {odd.Type}; such a tensor is of 32-bit fractions"
            : null;

    private static bool IsOfElements(GgufTensor tensor) => tensor.Name != DraftTokens
        && (tensor.Shape.Skip(1).All(dimension => dimension == 1)
            || Endings.Any(ending => tensor.Name.EndsWith(ending, StringComparison.Ordinal))
            || Parts.Any(part => tensor.Name.Contains(part, StringComparison.Ordinal)));
}
