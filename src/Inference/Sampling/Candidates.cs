using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Herd.Inference.Sampling;

/// <summary>
/// The candidate tokens and their weights, most probable first once sorted. Weights are probabilities times a common
/// factor. Holds only scratch memory.
/// </summary>
internal sealed class Candidates(int vocabulary)
{
    private readonly float[] _weights = new float[vocabulary];
    private readonly int[] _tokens = new int[vocabulary];
    private readonly float[] _distances = new float[vocabulary];
    private readonly int[] _order = new int[vocabulary];

    public int Count { get; private set; }

    public ReadOnlySpan<float> Weights => _weights.AsSpan(0, Count);

    public int this[int index] => _tokens[index];

    public float Mass => TensorPrimitives.Sum(Weights);

    /// <summary>Collects the tokens of at least this weight, in the order of the vocabulary.</summary>
    public void Collect(ReadOnlySpan<float> weights, float threshold)
    {
        Count = 0;
        var blocks = MemoryMarshal.Cast<float, Vector<float>>(weights);
        var min = new Vector<float>(threshold);
        for (var block = 0; block < blocks.Length; block++)
        {
            if (Vector.GreaterThanOrEqualAny(blocks[block], min))
            {
                Take(weights, threshold, block * Vector<float>.Count, (block + 1) * Vector<float>.Count);
            }
        }

        Take(weights, threshold, blocks.Length * Vector<float>.Count, weights.Length);
    }

    /// <summary>
    /// Sorts by falling weight, equal weights in the order of the vocabulary, so that every node agrees.
    /// </summary>
    public void Sort()
    {
        var weights = _weights.AsSpan(0, Count);
        TensorPrimitives.Negate(weights, weights);
        Sort(weights, _tokens.AsSpan(0, Count));
        TensorPrimitives.Negate(weights, weights);
    }

    public void TrimToCount(int count) => Count = Math.Min(Count, count);

    /// <summary>Top-p: keeps the first candidates that together reach a mass.</summary>
    public void TrimToMass(float mass)
    {
        var reached = 0f;
        for (var i = 0; i < Count; i++)
        {
            reached += _weights[i];
            if (reached >= mass)
            {
                Count = i + 1;
            }
        }
    }

    /// <summary>Min-p: keeps candidates of at least this weight, and always the first.</summary>
    public void TrimToWeight(float weight)
    {
        while (Count > 1 && _weights[Count - 1] < weight)
        {
            Count--;
        }
    }

    /// <summary>
    /// Locally typical sampling (Meister et al., 2022): keeps the candidates whose information content is nearest to
    /// the entropy, until they reach this share of the mass. Their order does not change.
    /// </summary>
    public void TrimToTypical(float share)
    {
        var mass = Mass;
        var distances = _distances.AsSpan(0, Count);
        var order = _order.AsSpan(0, Count);
        var entropy = 0f;
        for (var i = 0; i < Count; i++)
        {
            var probability = _weights[i] / mass;
            distances[i] = probability > 0 ? -MathF.Log(probability) : float.MaxValue;
            entropy += probability > 0 ? probability * distances[i] : 0;
        }

        for (var i = 0; i < Count; i++)
        {
            order[i] = i;
            distances[i] = MathF.Abs(distances[i] - entropy);
        }

        Sort(distances, order);
        var kept = 0;
        for (var reached = 0f; kept < Count && reached < share * mass; kept++)
        {
            reached += _weights[order[kept]];
        }

        order[..kept].Sort();
        for (var i = 0; i < kept; i++)
        {
            (_weights[i], _tokens[i]) = (_weights[order[i]], _tokens[order[i]]);
        }

        Count = kept;
    }

    /// <summary>XTC: drops all candidates of at least this weight except the last of them.</summary>
    public void DropFirst(float weight)
    {
        var likely = 0;
        while (likely < Count && _weights[likely] >= weight)
        {
            likely++;
        }

        if (likely > 1)
        {
            _weights.AsSpan(likely - 1, Count - likely + 1).CopyTo(_weights);
            _tokens.AsSpan(likely - 1, Count - likely + 1).CopyTo(_tokens);
            Count -= likely - 1;
        }
    }

    /// <summary>Draws a candidate by weight.</summary>
    /// <param name="random">A random number in [0, 1).</param>
    /// <returns>The index of the drawn candidate.</returns>
    public int Draw(double random)
    {
        var rest = random * Mass;
        for (var i = 0; i < Count - 1; i++)
        {
            rest -= _weights[i];
            if (rest < 0)
            {
                return i;
            }
        }

        return Count - 1;
    }

    /// <summary>Sorts items by key, and items of equal keys by value.</summary>
    private static void Sort(Span<float> keys, Span<int> items)
    {
        keys.Sort(items);
        for (var start = 0; start < keys.Length;)
        {
            var end = start + 1;
            while (end < keys.Length && keys[end] == keys[start])
            {
                end++;
            }

            items[start..end].Sort();
            start = end;
        }
    }

    private void Take(ReadOnlySpan<float> weights, float threshold, int from, int to)
    {
        for (var token = from; token < to; token++)
        {
            if (weights[token] >= threshold)
            {
                _weights[Count] = weights[token];
                _tokens[Count++] = token;
            }
        }
    }
}
