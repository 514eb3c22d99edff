using Herd.Inference.Runtime;
using Herd.Inference.Sampling;

namespace Herd.Inference.Generation;

/// <summary>
/// Samples the next tokens of every sequence of a step and verifies draft tokens, on several threads if there are many
/// sequences.
/// </summary>
internal sealed class StepSampler
{
    /// <summary>For fewer sequences, waking other threads takes longer than sampling.</summary>
    private const int MinParallel = 4;

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
        var count = threads > 0 ? threads : Environment.ProcessorCount;
        _samplers = [.. Enumerable.Range(0, count).Select(_ => new Sampler(vocabulary))];
        _loop = new ParallelLoop(_samplers.Length, Sample);
    }

    /// <summary>The outcome of a step for one sequence.</summary>
    /// <param name="Produced">The number of tokens added to its answer.</param>
    /// <param name="IsComplete">True if the answer is complete.</param>
    /// <param name="Fault">Why sampling failed; null if it did not.</param>
    public readonly record struct Outcome(int Produced, bool IsComplete, Exception? Fault);

    /// <returns>One outcome for each share of the step.</returns>
    public ReadOnlySpan<Outcome> Sample(IReadOnlyList<Scheduler.Share> step)
    {
        if (_outcomes.Length < step.Count)
        {
            _outcomes = new Outcome[step.Count];
        }

        _step = step;
        if (step.Count < MinParallel || _samplers.Length == 1)
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

    private void Sample(int share, int sampler) => _outcomes[share] = SampleAndVerify(_step[share], _samplers[sampler]);

    /// <summary>
    /// Samples a sequence's next token and verifies its draft tokens. The logits after a draft token are valid only if
    /// that token was sampled.
    /// </summary>
    private Outcome SampleAndVerify(Scheduler.Share share, Sampler sampler)
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

                if (row == output + drafted || token != _batch.Tokens[row + 1])
                {
                    break;
                }
            }

            return new Outcome(sequence.Answered - before, false, null);
        }
        catch (Exception e) when (e is DecodeException or NoTokenFitsException)
        {
            return new Outcome(sequence.Answered - before, false, e);
        }
        catch (Exception e)
        {
            // A defect that one request brings out. It must not end the answers of the others.
            return new Outcome(sequence.Answered - before, false, new AnswerFailedException(e));
        }
    }
}
