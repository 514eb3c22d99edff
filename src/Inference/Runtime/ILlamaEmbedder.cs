namespace Herd.Inference.Runtime;

/// <summary>Computes embeddings of texts. Used by one thread at a time.</summary>
public interface ILlamaEmbedder : IDisposable
{
    /// <summary>The maximum number of tokens of a text.</summary>
    int MaxTokens { get; }

    /// <summary>
    /// Computes the embedding of a text: a vector of norm 1, pooled as the model was trained, else the mean of its
    /// tokens.
    /// </summary>
    /// <param name="tokens">1 to <see cref="MaxTokens"/>.</param>
    /// <exception cref="DecodeException">The runtime failed.</exception>
    float[] Embed(ReadOnlySpan<int> tokens);
}
