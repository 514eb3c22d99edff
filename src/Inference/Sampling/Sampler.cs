using System.Numerics.Tensors;
using Herd.Inference.Runtime;

namespace Herd.Inference.Sampling;

/// <summary>
/// Samples a token from logits: bias and penalties, grammar, temperature, then top-k, typical, top-p, min-p and XTC,
/// then a draw. Other servers apply a generation_config.json in the same order (docs/decisions/sampling-order.md).
/// Holds only scratch memory, so one sampler serves all sequences of a thread.
/// </summary>
internal sealed class Sampler
{
    private const int XtcStream = 1;

    private readonly float[] _logits;
    private readonly float[] _weights;
    private readonly int[] _ends;
    private readonly Candidates _candidates;
    private readonly Penalties _penalties;
    private readonly Dry _dry;

    public Sampler(IVocabulary vocabulary)
    {
        _logits = new float[vocabulary.Count];
        _weights = new float[vocabulary.Count];
        _ends = [.. Enumerable.Range(0, vocabulary.Count).Where(vocabulary.IsEndOfGeneration)];
        _candidates = new Candidates(vocabulary.Count);
        _penalties = new Penalties(vocabulary.Count);
        _dry = new Dry(vocabulary);
    }

    /// <summary>Samples the next token.</summary>
    /// <param name="logits">One value per vocabulary entry.</param>
    /// <param name="state">The sampling state of the answer, with its options.</param>
    /// <param name="tokens">Prompt and answer so far.</param>
    /// <param name="prompt">The number of them that belong to the prompt.</param>
    /// <exception cref="DecodeException">The logits are not finite.</exception>
    /// <exception cref="NoTokenFitsException">The grammar allows no token.</exception>
    public int Sample(ReadOnlySpan<float> logits, SamplingState state, ReadOnlySpan<int> tokens, int prompt)
    {
        var options = state.Options;
        var likeliest = TensorPrimitives.IndexOfMax(logits);
        if (!float.IsFinite(logits[likeliest]))
        {
            throw new DecodeException(
                $"The model computed {logits[likeliest]} for token {likeliest}; its weights may be damaged.", 0);
        }

        var adjusted = Adjust(logits, options, tokens, prompt);
        var token = Choose(adjusted, state, tokens.Length - prompt, out var observedSurprise);

        // Usually the sampled token fits the grammar. Only if it does not is the grammar applied to all tokens.
        if (state.Grammar is { } grammar && !grammar.Allows(token))
        {
            adjusted.CopyTo(_logits);
            if (!grammar.Mask(_logits))
            {
                throw new NoTokenFitsException();
            }

            token = Choose(_logits, state, tokens.Length - prompt, out observedSurprise);
        }

        if (options.Mirostat is { } mirostat)
        {
            state.MirostatMu -= mirostat.Eta * (observedSurprise - mirostat.Tau);
        }

        return token;
    }

    /// <summary>The log probabilities of the sampled token and of the most probable tokens, from raw logits.</summary>
    public ChosenLogProb LogProbs(ReadOnlySpan<float> logits, int chosen, int count) =>
        Sampling.LogProbs.Compute(logits, chosen, count, _weights);

    private ReadOnlySpan<float> Adjust(
        ReadOnlySpan<float> logits, SamplingOptions options, ReadOnlySpan<int> tokens, int prompt)
    {
        if (options is { Bias.Count: 0, Penalties.ChangeNothing: true, Dry: null, IgnoreEnd: false })
        {
            return logits;
        }

        var adjusted = _logits.AsSpan();
        logits.CopyTo(adjusted);
        foreach (var (token, bias) in options.Bias)
        {
            adjusted[token] += bias;
        }

        _penalties.Apply(adjusted, options.Penalties, tokens, prompt);
        if (options.Dry is { } dry)
        {
            _dry.Apply(adjusted, dry, tokens);
        }

        if (options.IgnoreEnd)
        {
            foreach (var end in _ends)
            {
                adjusted[end] = float.NegativeInfinity;
            }
        }

        return adjusted;
    }

    private int Choose(ReadOnlySpan<float> logits, SamplingState state, int index, out float observedSurprise)
    {
        var options = state.Options;
        var likeliest = TensorPrimitives.IndexOfMax(logits);
        observedSurprise = 0;
        if (options.Temperature == 0 || (options.TopK == 1 && options.Mirostat is null))
        {
            return likeliest;
        }

        // The most probable token has weight 1.
        TensorPrimitives.Subtract(logits, logits[likeliest], _weights);
        TensorPrimitives.Divide(_weights, options.Temperature, _weights);
        TensorPrimitives.Exp(_weights, _weights);

        var random = CounterRandom.Uniform(options.Seed, index);
        if (options.Mirostat is not null)
        {
            var mass = TensorPrimitives.Sum(_weights);
            _candidates.Collect(_weights, MathF.Min(1, mass * MathF.Pow(2, -state.MirostatMu)));
            var drawn = _candidates.Draw(random);
            observedSurprise = -MathF.Log2(_candidates.Weights[drawn] / _candidates.Mass);
            return _candidates[drawn];
        }

        Filter(options, index);
        return _candidates[_candidates.Draw(random)];
    }

    private void Filter(SamplingOptions options, int index)
    {
        var wanted = options.TopK == 0 ? _weights.Length : Math.Min(options.TopK, _weights.Length);
        if (wanted == _weights.Length && options.TopP >= 1 && options.Typical >= 1 && options.Xtc is null)
        {
            _candidates.Collect(_weights, options.MinP);
            return;
        }

        var total = TensorPrimitives.Sum(_weights);
        CollectLikeliest(options, wanted, total);
        _candidates.TrimToCount(wanted);
        if (options.Typical < 1)
        {
            _candidates.TrimToTypical(options.Typical);
        }

        var mass = options.TopK > 0 || options.Typical < 1 ? _candidates.Mass : total;
        _candidates.TrimToMass(options.TopP < 1 ? options.TopP * mass : float.PositiveInfinity);
        _candidates.TrimToWeight(options.MinP);
        if (options.Xtc is { } xtc && CounterRandom.Uniform(options.Seed, index, XtcStream) < xtc.Probability)
        {
            _candidates.DropFirst(xtc.Threshold * _candidates.Mass);
        }
    }

    /// <summary>
    /// Sorts only the heaviest candidates; a few hundred nearly always suffice. Lowers the threshold until they do.
    /// </summary>
    private void CollectLikeliest(SamplingOptions options, int wanted, float total)
    {
        var needed = options.Typical < 1 ? 1 : options.TopP;
        for (var threshold = 1e-3f; ; threshold = threshold < 1e-30f ? 0 : threshold * 1e-3f)
        {
            _candidates.Collect(_weights, threshold);
            var enough = options.TopK > 0
                ? _candidates.Count >= wanted
                : needed < 1 && _candidates.Mass >= needed * total;
            if (enough || threshold <= options.MinP)
            {
                break;
            }
        }

        _candidates.Sort();
    }
}
