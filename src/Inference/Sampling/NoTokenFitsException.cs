namespace Herd.Inference.Sampling;

/// <summary>No token of the model's vocabulary can follow under the grammar of the answer.</summary>
public sealed class NoTokenFitsException() : Exception(
    "No token of this model's vocabulary can follow under the grammar. Use another form or another model.");
