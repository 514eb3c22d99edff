using System.Runtime.InteropServices;
using Herd.Inference.Runtime;

namespace Herd.Inference.Generation;

/// <summary>
/// Decides what each step computes: a token for every sequence that decodes, then as much of the waiting prompts as fits
/// beside them, oldest first. Sequences wait for slots in the order in which they came.
/// </summary>
internal sealed class Scheduler(KvCache cache)
{
    private readonly List<Sequence> _waiting = [];
    private readonly List<Sequence> _running = [];
    private readonly List<Share> _step = [];

    /// <summary>What a sequence has in the step.</summary>
    /// <param name="Sequence">Whose tokens.</param>
    /// <param name="Count">How many of its pending tokens.</param>
    /// <param name="Last">The place of the last in the batch.</param>
    /// <param name="Complete">Whether nothing is pending after it, so that the next token can be sampled.</param>
    public readonly record struct Share(Sequence Sequence, int Count, int Last, bool Complete);

    public int Waiting => _waiting.Count;

    public int Running => _running.Count;

    public bool IsIdle => _waiting.Count == 0 && _running.Count == 0;

    public void Enqueue(Sequence sequence) => _waiting.Add(sequence);

    /// <summary>Gives free slots to those who wait. One whose own slot is busy lets others pass.</summary>
    public void Admit()
    {
        for (var i = 0; i < _waiting.Count && _running.Count < cache.Slots.Count;)
        {
            var sequence = _waiting[i];
            if (!cache.TryAcquire(sequence))
            {
                i++;
                continue;
            }

            sequence.Admitted();
            _waiting.RemoveAt(i);
            _running.Add(sequence);
        }
    }

    /// <summary>Fills the batch of the next step.</summary>
    public IReadOnlyList<Share> Plan(TokenBatch batch)
    {
        batch.Clear();
        _step.Clear();
        foreach (var sequence in _running)
        {
            if (sequence.IsDecoding && batch.Free > 0)
            {
                Add(batch, sequence);
            }
        }

        foreach (var sequence in _running)
        {
            if (!sequence.IsDecoding && batch.Free > 0)
            {
                Add(batch, sequence);
            }
        }

        return _step;
    }

    /// <summary>Takes out a sequence that is over. Its slot keeps what was computed for the next turn.</summary>
    public void Remove(Sequence sequence)
    {
        if (_running.Remove(sequence))
        {
            cache.Release(sequence.Slot!);
        }
        else
        {
            _waiting.Remove(sequence);
        }
    }

    public IReadOnlyList<Sequence> Cancelled() => _running.Exists(IsCancelled) || _waiting.Exists(IsCancelled)
        ? All().Where(s => IsCancelled(s)).ToList()
        : [];

    public IEnumerable<Sequence> All() => _running.Concat(_waiting);

    private static bool IsCancelled(Sequence sequence) => sequence.Cancellation.IsCancellationRequested;

    private void Add(TokenBatch batch, Sequence sequence)
    {
        var start = sequence.Slot!.Tokens.Count;
        var count = Math.Min(sequence.Pending, batch.Free);
        var complete = count == sequence.Pending;
        var tokens = CollectionsMarshal.AsSpan(sequence.Tokens).Slice(start, count);
        var last = -1;
        for (var i = 0; i < count; i++)
        {
            last = batch.Add(tokens[i], start + i, sequence.Slot.Id, complete && i == count - 1);
        }

        _step.Add(new Share(sequence, count, last, complete));
    }
}
