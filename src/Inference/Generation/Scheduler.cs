using System.Runtime.InteropServices;
using Herd.Inference.Kv;
using Herd.Inference.Runtime;

namespace Herd.Inference.Generation;

/// <summary>
/// Keeps who computes and who waits, and decides what each step computes: the next token of every sequence that decodes,
/// with guesses where they pay, then as much of the prompts as fits beside them. <see cref="SchedulingPolicy"/> says who
/// goes first.
/// </summary>
internal sealed class Scheduler(
    KvCache cache, SchedulingPolicy policy, Fairness fairness, StepTimes times, Speculation? speculation, TimeProvider time)
{
    private readonly List<Sequence> _waiting = [];
    private readonly List<Sequence> _running = [];
    private readonly List<Sequence> _prefilling = [];
    private readonly List<Share> _step = [];
    private readonly List<(Standing Standing, Sequence Sequence)> _line = [];
    private int[] _wanted = new int[16];
    private long _arrivals;

    /// <summary>What a sequence has in the step.</summary>
    /// <param name="Sequence">Whose tokens.</param>
    /// <param name="Count">How many of its pending tokens.</param>
    /// <param name="Guessed">How many guesses follow them.</param>
    /// <param name="Output">The place in the batch of the last pending token; -1 when more of the prompt is pending.</param>
    public readonly record struct Share(Sequence Sequence, int Count, int Guessed, int Output);

    public int Waiting => _waiting.Count;

    public int Running => _running.Count;

    /// <summary>Sequences with a slot whose prompts were not computed when the step was planned.</summary>
    public int Prefilling => _prefilling.Count;

    public IReadOnlyList<Sequence> Queue => _waiting;

    public bool IsIdle => _waiting.Count == 0 && _running.Count == 0;

    public void Enqueue(Sequence sequence)
    {
        sequence.Arrival = ++_arrivals;
        fairness.Enter(sequence.Claim.Tenant);
        _waiting.Add(sequence);
    }

    /// <summary>Gives slots to those who wait, taking them from others where the policy says so.</summary>
    public void Admit()
    {
        if (_waiting.Count == 0)
        {
            return;
        }

        LineUp(_waiting);
        _line.Sort((one, other) => policy.Compare(one.Standing, other.Standing));
        foreach (var sequence in _running)
        {
            sequence.CanMakeWay = cache.CanMakeWay(sequence.Claim, time.GetElapsedTime(sequence.HoldsSince));
        }

        foreach (var (standing, sequence) in _line)
        {
            // One for whom nobody makes way, whose own slot is busy, or who is better off later, lets others pass.
            if ((_running.Count < cache.Slots.Count || TryMakeWay(standing))
                && cache.TryAcquire(sequence.Claim) == KvOutcome.Acquired)
            {
                sequence.Admitted();
                _waiting.Remove(sequence);
                _running.Add(sequence);
            }
        }
    }

    /// <summary>Fills the batch of the next step.</summary>
    public IReadOnlyList<Share> Plan(TokenBatch batch)
    {
        batch.Clear();
        _step.Clear();
        _prefilling.Clear();
        foreach (var sequence in _running)
        {
            if (!sequence.IsDecoding || sequence.Claim.Pending > 1)
            {
                _prefilling.Add(sequence);
            }
        }

        var decoding = _running.Count - _prefilling.Count;
        foreach (var sequence in _running)
        {
            if (sequence.IsDecoding && sequence.Claim.Pending == 1)
            {
                // Guesses make steps longer; while a prompt waits, its tokens are worth more.
                var room = _prefilling.Count == 0 ? batch.Free - decoding : 0;
                Add(batch, sequence, 1, speculation is null ? [] : speculation.Guess(sequence, decoding, room));
            }
        }

        if (_prefilling.Count > 0)
        {
            Prefill(batch);
        }

        return _step;
    }

    /// <summary>Takes out a sequence that is over. Its slot keeps what was computed for the next turn.</summary>
    public void Remove(Sequence sequence)
    {
        if (_running.Remove(sequence))
        {
            cache.Release(sequence.Claim);
        }
        else
        {
            _waiting.Remove(sequence);
            cache.Leave(sequence.Claim);
        }

        fairness.Leave(sequence.Claim.Tenant);
    }

    /// <summary>Notes what a sequence was served.</summary>
    public void Charge(Sequence sequence, int input, int output) =>
        fairness.Charge(sequence.Claim.Tenant, input, output);

    public IReadOnlyList<Sequence> Cancelled() => _running.Exists(IsCancelled) || _waiting.Exists(IsCancelled)
        ? All().Where(IsCancelled).ToList()
        : [];

    public IEnumerable<Sequence> All() => _running.Concat(_waiting);

    private static bool IsCancelled(Sequence sequence) => sequence.Cancellation.IsCancellationRequested;

    /// <summary>Notes where each stands now: what they are sorted by must not change meanwhile, as times do.</summary>
    private void LineUp(List<Sequence> sequences)
    {
        _line.Clear();
        foreach (var sequence in sequences)
        {
            _line.Add((Of(sequence), sequence));
        }
    }

    /// <summary>Takes the slot of whoever is last in line among those that make way. Its KV cache stays, or is parked.</summary>
    private bool TryMakeWay(Standing waiting)
    {
        Sequence? last = null;
        var worst = default(Standing);
        foreach (var sequence in _running)
        {
            if (!sequence.CanMakeWay && waiting.Priority >= sequence.Priority)
            {
                continue;
            }

            var standing = Of(sequence);
            if (policy.MakesWay(standing, waiting) && (last is null || policy.Compare(standing, worst) > 0))
            {
                (last, worst) = (sequence, standing);
            }
        }

        if (last is null)
        {
            return false;
        }

        _running.Remove(last);
        cache.MakeWay(last.Claim);
        last.MadeWay();
        _waiting.Add(last);
        return true;
    }

    private Standing Of(Sequence sequence) => new(
        sequence.Priority,
        fairness.ServiceOf(sequence.Claim.Tenant),
        sequence.Answered,
        sequence.Arrival,
        sequence.Claim.Slot is null ? time.GetElapsedTime(sequence.WaitsSince) : TimeSpan.Zero,
        sequence.Stint)
    {
        HasShortPrompt = sequence.ShortPrompt > 0,
        Held = sequence.Claim.Slot is null ? TimeSpan.Zero : time.GetElapsedTime(sequence.HoldsSince),
    };

    private void Prefill(TokenBatch batch)
    {
        LineUp(_prefilling);
        _line.Sort((one, other) => policy.ComparePrompts(one.Standing, other.Standing));
        if (_wanted.Length < _line.Count)
        {
            _wanted = new int[_line.Count];
        }

        var wanted = _wanted.AsSpan(0, _line.Count);
        for (var i = 0; i < wanted.Length; i++)
        {
            wanted[i] = _line[i].Sequence.Claim.Pending;
        }

        var budget = times.PrefillBudget(_running.Count - _prefilling.Count, _prefilling.Count, batch.Free);
        SchedulingPolicy.Allot(wanted, Math.Max(budget, Math.Min(_line[0].Sequence.ShortPrompt, batch.Free)));
        for (var i = 0; i < wanted.Length && wanted[i] > 0; i++)
        {
            Add(batch, _line[i].Sequence, wanted[i], []);
        }
    }

    private void Add(TokenBatch batch, Sequence sequence, int count, ReadOnlySpan<int> guesses)
    {
        var claim = sequence.Claim;
        var slot = claim.Slot!;
        var position = slot.Tokens.Count;
        var complete = count == claim.Pending;
        var last = -1;
        foreach (var token in CollectionsMarshal.AsSpan(claim.Tokens).Slice(position, count))
        {
            last = batch.Add(token, position++, slot.Id, output: complete && position == claim.Tokens.Count);
        }

        foreach (var token in guesses)
        {
            batch.Add(token, position++, slot.Id, output: true);
        }

        _step.Add(new Share(sequence, count, guesses.Length, complete ? last : -1));
    }
}
