namespace Herd.Inference.Runtime;

/// <summary>What a model file says of itself.</summary>
/// <param name="Description">Architecture, size and quantisation, for people.</param>
/// <param name="ContextLength">Tokens the model was trained to attend over.</param>
/// <param name="ChatTemplate">Its Jinja chat template, or null.</param>
/// <param name="Bytes">Size of the weights.</param>
/// <param name="Parameters">Number of weights.</param>
public sealed record ModelInfo(string Description, int ContextLength, string? ChatTemplate, long Bytes, long Parameters);
