using System.Numerics.Tensors;
using Herd.Inference.Runtime;

namespace Herd.Inference.Sampling;

/// <summary>
/// Chooses a token from logits: temperature, then top-k, then top-p, then min-p, then a draw, in the order in which a
/// generation_config.json is read elsewhere (docs/decisions/sampling-order.md). Holds only scratch memory, so one serves
/// every sequence of a thread.
/// </summary>
internal sealed class Sampler(int vocabulary)
{
    private readonly float[] _weights = new float[vocabulary];
    private readonly float[] _candidateWeights = new float[vocabulary];
    private readonly int[] _candidates = new int[vocabulary];

    /// <summary>Chooses the token that follows.</summary>
    /// <param name="logits">One value per vocabulary entry.</param>
    /// <param name="options">Validated options.</param>
    /// <param name="index">The place of the token in the answer, from 0.</param>
    public int Sample(ReadOnlySpan<float> logits, SamplingOptions options, int index)
    {
        var likeliest = TensorPrimitives.IndexOfMax(logits);
        if (!float.IsFinite(logits[likeliest]))
        {
            throw new DecodeException($"The model computed {logits[likeliest]} for token {likeliest}; its weights may be damaged.", 0);
        }

        if (options.Temperature == 0 || options.TopK == 1)
        {
            return likeliest;
        }

        // Weights are probabilities but for a common factor: the likeliest token has weight 1.
        var weights = _weights.AsSpan(0, logits.Length);
        TensorPrimitives.Subtract(logits, logits[likeliest], weights);
        TensorPrimitives.Divide(weights, options.Temperature, weights);
        TensorPrimitives.Exp(weights, weights);

        var kept = KeepLikeliest(weights, options);
        return Draw(kept, CounterRandom.Uniform(options.Seed, index));
    }

    private int KeepLikeliest(ReadOnlySpan<float> weights, SamplingOptions options)
    {
        var wanted = options.TopK == 0 ? weights.Length : Math.Min(options.TopK, weights.Length);
        if (wanted == weights.Length && options.TopP >= 1)
        {
            return Collect(weights, options.MinP);
        }

        var total = TensorPrimitives.Sum(weights);

        // Sorting a few hundred candidates is enough nearly always; the threshold falls until it is.
        for (var threshold = 1e-3f; ; threshold = threshold < 1e-30f ? 0 : threshold * 1e-3f)
        {
            var found = Collect(weights, threshold);
            var enough = options.TopK > 0 ? found >= wanted : Mass(found) >= options.TopP * total;
            if (!enough && threshold > 0)
            {
                continue;
            }

            Sort(found);
            var kept = Math.Min(found, wanted);
            var mass = options.TopK > 0 ? Mass(kept) : total;
            return TrimByMinP(TrimByTopP(kept, options.TopP * mass), options.MinP);
        }
    }

    private int Collect(ReadOnlySpan<float> weights, float threshold)
    {
        var count = 0;
        for (var token = 0; token < weights.Length; token++)
        {
            if (weights[token] >= threshold)
            {
                _candidateWeights[count] = weights[token];
                _candidates[count++] = token;
            }
        }

        return count;
    }

    private float Mass(int count) => TensorPrimitives.Sum(_candidateWeights.AsSpan(0, count));

    /// <summary>Likeliest first; equal weights in the order of the vocabulary, so that every node agrees.</summary>
    private void Sort(int count)
    {
        var weights = _candidateWeights.AsSpan(0, count);
        TensorPrimitives.Negate(weights, weights);
        weights.Sort(_candidates.AsSpan(0, count));
        TensorPrimitives.Negate(weights, weights);
        for (var start = 0; start < count;)
        {
            var end = start + 1;
            while (end < count && weights[end] == weights[start])
            {
                end++;
            }

            _candidates.AsSpan(start, end - start).Sort();
            start = end;
        }
    }

    private int TrimByTopP(int count, float mass)
    {
        var reached = 0f;
        for (var i = 0; i < count; i++)
        {
            reached += _candidateWeights[i];
            if (reached >= mass)
            {
                return i + 1;
            }
        }

        return count;
    }

    private int TrimByMinP(int count, float minP)
    {
        while (count > 1 && _candidateWeights[count - 1] < minP)
        {
            count--;
        }

        return count;
    }

    private int Draw(int count, double random)
    {
        var rest = random * Mass(count);
        for (var i = 0; i < count - 1; i++)
        {
            rest -= _candidateWeights[i];
            if (rest < 0)
            {
                return _candidates[i];
            }
        }

        return _candidates[count - 1];
    }
}
