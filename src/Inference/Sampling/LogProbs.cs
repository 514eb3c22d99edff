using System.Numerics.Tensors;

namespace Herd.Inference.Sampling;

/// <summary>Log-probabilities of the model itself, from raw logits.</summary>
internal static class LogProbs
{
    /// <param name="logits">One value per vocabulary entry.</param>
    /// <param name="chosen">The token that was chosen.</param>
    /// <param name="count">How many of the likeliest are told.</param>
    /// <param name="scratch">As long as the logits.</param>
    public static ChosenLogProb Compute(ReadOnlySpan<float> logits, int chosen, int count, Span<float> scratch)
    {
        var most = TensorPrimitives.Max(logits);
        TensorPrimitives.Subtract(logits, most, scratch);
        TensorPrimitives.Exp(scratch, scratch);
        var normalizer = most + MathF.Log(TensorPrimitives.Sum(scratch));
        var likeliest = new TokenLogProb[Math.Min(count, logits.Length)];
        for (var i = 0; i < likeliest.Length; i++)
        {
            var token = TensorPrimitives.IndexOfMax(scratch);
            likeliest[i] = new TokenLogProb(token, logits[token] - normalizer);
            scratch[token] = -1;
        }

        return new ChosenLogProb(new TokenLogProb(chosen, logits[chosen] - normalizer), likeliest);
    }
}
