namespace Herd.Inference.Models.Gguf.Checks;

/// <summary>
/// Tensors that are used element by element are f32: norms, biases, convolutions, and all of one dimension. llama.cpp
/// finds another type only when it computes, and ends the process then.
/// </summary>
internal static class TensorCheck
{
    private const int F32 = 0;

    /// <summary>The map from the tokens of a draft model to those of its target, an integer each.</summary>
    private const string DraftTokens = "d2t";

    public static string? FindFault(Hyperparameters model) =>
        model.File.Tensors.FirstOrDefault(tensor => tensor.Type != F32 && IsOfElements(tensor)) is { } odd
            ? $"the tensor '{odd.Name}' is of type {odd.Type}; such a tensor is of 32-bit fractions"
            : null;

    private static bool IsOfElements(GgufTensor tensor) => tensor.Name != DraftTokens
        && (tensor.Shape.Skip(1).All(dimension => dimension == 1)
            || tensor.Name.EndsWith(".bias", StringComparison.Ordinal)
            || tensor.Name.EndsWith("norm.weight", StringComparison.Ordinal)
            || tensor.Name.EndsWith("conv1d.weight", StringComparison.Ordinal)
            || tensor.Name.EndsWith("shortconv.conv.weight", StringComparison.Ordinal)
            || tensor.Name.EndsWith(".ssm_a", StringComparison.Ordinal)
            || tensor.Name.EndsWith(".ssm_d", StringComparison.Ordinal));
}
