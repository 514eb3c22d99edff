namespace Herd.Inference.Runtime;

/// <summary>Makes vectors of texts. Used by one thread at a time.</summary>
public interface ILlamaEmbedder : IDisposable
{
    /// <summary>Most tokens of a text.</summary>
    int MostTokens { get; }

    /// <summary>The vector of a text, of length 1, pooled as the model was trained to, else as the mean of its tokens'.</summary>
    /// <param name="tokens">1 to <see cref="MostTokens"/>.</param>
    /// <exception cref="DecodeException">The runtime failed.</exception>
    float[] Embed(ReadOnlySpan<int> tokens);
}
