using System.Runtime.InteropServices;
using Herd.Inference.Kv;
using Herd.Inference.Runtime;

namespace Herd.Inference.Generation;

/// <summary>
/// Holds the running and the waiting sequences, and plans each step: the next token of every decoding sequence, with
/// draft tokens where they save time, then as many prompt tokens as the prefill budget allows. The order is <see
/// cref="SchedulingPolicy"/>'s.
/// </summary>
internal sealed class Scheduler(
    KvCache cache,
    SchedulingPolicy policy,
    Fairness fairness,
    StepTimes times,
    Speculation? speculation,
    TimeProvider time)
{
    private readonly List<Sequence> _waiting = [];
    private readonly List<Sequence> _running = [];
    private readonly List<Sequence> _prefilling = [];
    private readonly List<Share> _step = [];
    private readonly List<(SchedulingKey Key, Sequence Sequence)> _sorted = [];
    private int[] _wanted = new int[16];
    private long _arrivals;

    /// <summary>The part of a step that belongs to one sequence.</summary>
    /// <param name="Sequence">The sequence.</param>
    /// <param name="Count">The number of its pending tokens in the step.</param>
    /// <param name="Drafted">The number of draft tokens that follow them.</param>
    /// <param name="Output">
    /// The batch index of the last pending token; -1 if more of the prompt is pending after the step.
    /// </param>
    public readonly record struct Share(Sequence Sequence, int Count, int Drafted, int Output);

    public int Waiting => _waiting.Count;

    public int Running => _running.Count;

    /// <summary>Running sequences whose prompt was not complete when the step was planned.</summary>
    public int Prefilling => _prefilling.Count;

    public IReadOnlyList<Sequence> Queue => _waiting;

    public IReadOnlyList<Sequence> InSlots => _running;

    public bool IsIdle => _waiting.Count == 0 && _running.Count == 0;

    public void Enqueue(Sequence sequence)
    {
        sequence.Arrival = ++_arrivals;
        fairness.Enter(sequence.Kv.Tenant);
        _waiting.Add(sequence);
    }

    /// <summary>Admits waiting sequences to slots, and preempts running ones where the policy says so.</summary>
    public void Admit()
    {
        if (_waiting.Count == 0)
        {
            return;
        }

        CollectKeys(_waiting);
        _sorted.Sort((one, other) => policy.Compare(one.Key, other.Key));
        foreach (var sequence in _running)
        {
            sequence.CanBePreempted = cache.CanPreempt(sequence.Kv, time.GetElapsedTime(sequence.InSlotSince));
        }

        foreach (var (key, sequence) in _sorted)
        {
            // A sequence stays in the queue if it can preempt none, its own slot is busy, or waiting is cheaper.
            Sequence? preempted = null;
            if ((_running.Count < cache.Slots.Count || TryPreempt(key, out preempted))
                && !TryAdmit(sequence) && preempted is not null)
            {
                // Nobody needs the slot now, so its owner goes on.
                TryAdmit(preempted);
            }
        }
    }

    private bool TryAdmit(Sequence sequence)
    {
        if (cache.TryAllocate(sequence.Kv) != KvAllocationOutcome.Allocated)
        {
            return false;
        }

        sequence.Admitted();
        _waiting.Remove(sequence);
        _running.Add(sequence);
        return true;
    }

    /// <summary>Fills the batch of the next step.</summary>
    public IReadOnlyList<Share> Plan(TokenBatch batch)
    {
        batch.Clear();
        _step.Clear();
        _prefilling.Clear();
        foreach (var sequence in _running)
        {
            if (sequence.PendingPrompt > 0)
            {
                _prefilling.Add(sequence);
            }
        }

        var decoding = _running.Count - _prefilling.Count;
        foreach (var sequence in _running)
        {
            if (sequence.PendingPrompt == 0)
            {
                // Draft tokens make steps longer, so there are none while a prompt is pending.
                var room = _prefilling.Count == 0 ? batch.Free - decoding : 0;
                Add(batch, sequence, 1, speculation is null ? [] : speculation.ProposeDraft(sequence, decoding, room));
            }
        }

        if (_prefilling.Count > 0)
        {
            Prefill(batch);
        }

        return _step;
    }

    /// <summary>Removes a sequence that ended. Its slot keeps the KV cache for the next turn.</summary>
    public void Remove(Sequence sequence)
    {
        if (_running.Remove(sequence))
        {
            cache.Detach(sequence.Kv);
        }
        else
        {
            _waiting.Remove(sequence);
            cache.CancelWait(sequence.Kv);
        }

        fairness.Leave(sequence.Kv.Tenant);
    }

    /// <summary>Adds the tokens that a sequence was served to its tenant's account.</summary>
    public void Charge(Sequence sequence, int input, int output) =>
        fairness.Charge(sequence.Kv.Tenant, input, output);

    public IReadOnlyList<Sequence> Cancelled() => _running.Exists(IsCancelled) || _waiting.Exists(IsCancelled)
        ? All().Where(IsCancelled).ToList()
        : [];

    public IEnumerable<Sequence> All() => _running.Concat(_waiting);

    private static bool IsCancelled(Sequence sequence) => sequence.Cancellation.IsCancellationRequested;

    /// <summary>
    /// Computes each scheduling key once, because keys contain times and must not change while they are sorted.
    /// </summary>
    private void CollectKeys(List<Sequence> sequences)
    {
        _sorted.Clear();
        foreach (var sequence in sequences)
        {
            _sorted.Add((KeyFor(sequence), sequence));
        }
    }

    /// <summary>Preempts the last in order of the sequences that may be. Its KV cache stays, or is offloaded.</summary>
    private bool TryPreempt(SchedulingKey waiting, out Sequence? last)
    {
        last = null;
        var worst = default(SchedulingKey);
        foreach (var sequence in _running)
        {
            if (!sequence.CanBePreempted && waiting.Priority >= sequence.Priority)
            {
                continue;
            }

            var key = KeyFor(sequence);
            if (policy.ShouldPreempt(key, waiting) && (last is null || policy.Compare(key, worst) > 0))
            {
                (last, worst) = (sequence, key);
            }
        }

        if (last is null)
        {
            return false;
        }

        _running.Remove(last);
        cache.Preempt(last.Kv);
        last.Preempted();
        _waiting.Add(last);
        return true;
    }

    private SchedulingKey KeyFor(Sequence sequence) => new(
        sequence.Priority,
        fairness.ServiceOf(sequence.Kv.Tenant),
        sequence.Answered,
        sequence.Arrival,
        sequence.Kv.Slot is null ? time.GetElapsedTime(sequence.WaitsSince) : TimeSpan.Zero,
        sequence.QuantumUsed)
    {
        HasShortPrompt = sequence.ShortPrompt > 0,
        TimeInSlot = sequence.Kv.Slot is null ? TimeSpan.Zero : time.GetElapsedTime(sequence.InSlotSince),
    };

    private void Prefill(TokenBatch batch)
    {
        CollectKeys(_prefilling);
        _sorted.Sort((one, other) => policy.ComparePrompts(one.Key, other.Key));
        if (_wanted.Length < _sorted.Count)
        {
            _wanted = new int[_sorted.Count];
        }

        var wanted = _wanted.AsSpan(0, _sorted.Count);
        for (var i = 0; i < wanted.Length; i++)
        {
            wanted[i] = _sorted[i].Sequence.Kv.Pending;
        }

        var budget = times.PrefillBudget(_running.Count - _prefilling.Count, _prefilling.Count, batch.Free);
        SchedulingPolicy.SplitBudget(wanted, Math.Max(budget, Math.Min(_sorted[0].Sequence.ShortPrompt, batch.Free)));
        for (var i = 0; i < wanted.Length && wanted[i] > 0; i++)
        {
            Add(batch, _sorted[i].Sequence, wanted[i], []);
        }
    }

    private void Add(TokenBatch batch, Sequence sequence, int count, ReadOnlySpan<int> draftTokens)
    {
        var allocation = sequence.Kv;
        var slot = allocation.Slot!;
        var position = slot.Tokens.Count;
        var complete = count == allocation.Pending;
        var last = -1;
        foreach (var token in CollectionsMarshal.AsSpan(allocation.Tokens).Slice(position, count))
        {
            last = batch.Add(token, position++, slot.Id, output: complete && position == allocation.Tokens.Count);
        }

        foreach (var token in draftTokens)
        {
            batch.Add(token, position++, slot.Id, output: true);
        }

        _step.Add(new Share(sequence, count, draftTokens.Length, complete ? last : -1));
    }
}
