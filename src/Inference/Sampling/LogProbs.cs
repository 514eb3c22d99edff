using System.Numerics.Tensors;

namespace Herd.Inference.Sampling;

/// <summary>Log probabilities of the model, from raw logits.</summary>
internal static class LogProbs
{
    /// <param name="logits">One value per vocabulary entry.</param>
    /// <param name="chosen">The token that was chosen.</param>
    /// <param name="count">The number of most probable tokens to report.</param>
    /// <param name="scratch">Scratch memory of the same length as the logits.</param>
    public static ChosenLogProb Compute(ReadOnlySpan<float> logits, int chosen, int count, Span<float> scratch)
    {
        var max = TensorPrimitives.Max(logits);
        TensorPrimitives.Subtract(logits, max, scratch);
        TensorPrimitives.Exp(scratch, scratch);
        var normalizer = max + MathF.Log(TensorPrimitives.Sum(scratch));
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
