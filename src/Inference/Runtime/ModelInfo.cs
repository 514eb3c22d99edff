namespace Herd.Inference.Runtime;

/// <summary>The description of a model in its file.</summary>
/// <param name="Description">Architecture, size and quantisation, for display.</param>
/// <param name="ContextLength">The context length of training, in tokens.</param>
/// <param name="ChatTemplate">Its Jinja chat template; null if it has none.</param>
/// <param name="Bytes">Size of the weights in bytes.</param>
/// <param name="Parameters">Number of weights.</param>
public sealed record ModelInfo(
    string Description, int ContextLength, string? ChatTemplate, long Bytes, long Parameters);
