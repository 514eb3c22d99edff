using Herd.Inference.Runtime;
using Herd.Inference.Sampling;

namespace Herd.Inference.Generation;

/// <summary>Chooses the next tokens of every sequence of a step, several at a time where there are many.</summary>
internal sealed class StepSampler
{
    /// <summary>Fewer sequences than this are sampled sooner than others are woken.</summary>
    private const int WorthWaking = 4;

    private readonly ILlamaContext _context;
    private readonly TokenBatch _batch;
    private readonly Sampler[] _samplers;
    private readonly ParallelLoop _loop;
    private Outcome[] _outcomes = new Outcome[16];
    private IReadOnlyList<Scheduler.Share> _step = [];

    public StepSampler(ILlamaContext context, IVocabulary vocabulary, TokenBatch batch, int threads)
    {
        _context = context;
        _batch = batch;
        _samplers = [.. Enumerable.Range(0, threads > 0 ? threads : Environment.ProcessorCount).Select(_ => new Sampler(vocabulary))];
        _loop = new ParallelLoop(_samplers.Length, Sample);
    }

    /// <summary>How a sequence fared.</summary>
    /// <param name="Produced">Tokens by which its answer grew.</param>
    /// <param name="IsComplete">Whether the answer is complete.</param>
    /// <param name="Fault">Why there is no token.</param>
    public readonly record struct Outcome(int Produced, bool IsComplete, DecodeException? Fault);

    /// <returns>One outcome for each share of the step.</returns>
    public ReadOnlySpan<Outcome> Sample(IReadOnlyList<Scheduler.Share> step)
    {
        if (_outcomes.Length < step.Count)
        {
            _outcomes = new Outcome[step.Count];
        }

        _step = step;
        if (step.Count < WorthWaking || _samplers.Length == 1)
        {
            for (var i = 0; i < step.Count; i++)
            {
                Sample(i, sampler: 0);
            }
        }
        else
        {
            _loop.Run(step.Count);
        }

        return _outcomes.AsSpan(0, step.Count);
    }

    private void Sample(int share, int sampler) => _outcomes[share] = Sample(_step[share], _samplers[sampler]);

    private Outcome Sample(Scheduler.Share share, Sampler sampler)
    {
        var (sequence, _, drafted, output) = share;
        var before = sequence.Answered;
        try
        {
            for (var row = output; row >= 0 && row <= output + drafted; row++)
            {
                if (sequence.Advance(_context.Logits(row), sampler) is not { } token)
                {
                    return new Outcome(sequence.Answered - before, true, null);
                }

                // What was computed after a guess counts only if the guess was right.
                if (row == output + drafted || token != _batch.Tokens[row + 1])
                {
                    break;
                }
            }

            return new Outcome(sequence.Answered - before, false, null);
        }
        catch (DecodeException e)
        {
            return new Outcome(sequence.Answered - before, false, e);
        }
    }
}
