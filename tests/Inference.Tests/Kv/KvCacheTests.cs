using Herd.Inference.Kv;
using Herd.Inference.Kv.Offload;
using Herd.Inference.Runtime;
using Herd.Inference.Tests.Generation;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Inference.Tests.Kv;

/// <summary>Preemption: its conditions, its costs, and the offloaded KV caches of preempted sequences.</summary>
public sealed class KvCacheTests : IDisposable
{
    private const int Tokens = 100;
    private const int StateBytes = Tokens * sizeof(int);
    private static readonly TimeSpan Long = TimeSpan.FromHours(1);

    private readonly FakeTimeProvider _time = new();
    private readonly FakeContext _context = new(sequences: 2, cells: 256, batch: 256);
    private readonly KvRates _rates = new();
    private KvCache? _cache;

    [Fact]
    public void CanPreempt_HeldForLong_IsTrue()
    {
        Open(hostBytes: 4 * StateBytes);

        Assert.True(_cache!.CanPreempt(Compute("a"), Long));
    }

    [Fact]
    public void CanPreempt_TooShortInTheSlot_IsFalse()
    {
        Open(hostBytes: 4 * StateBytes);
        var allocation = Compute("a");
        _rates.RecordSize(Tokens, StateBytes);
        _rates.Save.Record(StateBytes, TimeSpan.FromSeconds(0.02));
        _rates.Restore.Record(StateBytes, TimeSpan.FromSeconds(0.03));

        // Saving and restoring two sessions may take a fifth of the time, so the minimum is four times as long.
        var least = TimeSpan.FromSeconds(4 * 2 * 0.05);
        Assert.False(_cache!.CanPreempt(allocation, least * 0.99));
        Assert.True(_cache!.CanPreempt(allocation, least * 1.01));
    }

    [Fact]
    public void CanPreempt_HostMemoryIsForOthers_IsFalse()
    {
        Open(hostBytes: 2 * StateBytes);
        var first = Compute("a");
        var second = Compute("b");
        _rates.RecordSize(Tokens, StateBytes);
        Assert.True(_cache!.CanPreempt(first, Long));

        _cache.Preempt(first);

        Assert.False(_cache.CanPreempt(second, Long));
    }

    [Fact]
    public void Missing_OfAPreemptedOne_CountsTokensOnNoTier()
    {
        Open(hostBytes: 4 * StateBytes);
        var waits = Compute("a");
        _cache!.Preempt(waits);
        Assert.Equal([1], _cache.Missing([waits]));

        OffloadLast();
        OffloadLast();
        Assert.DoesNotContain(_cache.Slots, slot => slot.Session == "a");
        Assert.Equal([1], _cache.Missing([waits]));
        Assert.Equal([50], _cache.Missing([new KvAllocation("new", "t", 0, [.. Enumerable.Range(0, 50)])]));
    }

    [Fact]
    public void Preempt_OthersAreDropped_StaysUntilItContinues()
    {
        Open(hostBytes: 4 * StateBytes);
        var preempted = Compute("a");
        _cache!.Preempt(preempted);
        for (var i = 0; i < 10; i++)
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            _cache.Detach(Compute($"s{i}"));
        }

        Assert.Equal(StateBytes, _cache.Offloaded.AwaitedBytes);
        Assert.Equal(KvAllocationOutcome.Allocated, _cache.TryAllocate(preempted));
        Assert.Equal(1, preempted.Pending);
        Assert.Equal(0, _cache.Offloaded.AwaitedBytes);
    }

    [Fact]
    public void Leave_PreemptedAndCancelled_FreesTheMemory()
    {
        Open(hostBytes: 4 * StateBytes);
        var preempted = Compute("a");
        _cache!.Preempt(preempted);
        OffloadLast();
        OffloadLast();
        Assert.Equal(StateBytes, _cache.Offloaded.AwaitedBytes);

        _cache.CancelWait(preempted);

        Assert.Equal(0, _cache.Offloaded.AwaitedBytes);
    }

    [Fact]
    public void Forget_AnAllocationWaitsForIt_FreesTheMemoryOnce()
    {
        Open(hostBytes: 4 * StateBytes);
        var preempted = Compute("a");
        _cache!.Preempt(preempted);
        OffloadLast();
        OffloadLast();

        _cache.Forget("a");
        _cache.CancelWait(preempted);

        Assert.Equal(0, _cache.Offloaded.AwaitedBytes);
    }

    /// <summary>Its conversation was deleted in mid-answer.</summary>
    [Fact]
    public void Forget_WhileItIsExtended_EmptiesItsSlotAtTheEnd()
    {
        Open(hostBytes: 4 * StateBytes);
        var allocation = Compute("a");
        var slot = allocation.Slot!;

        _cache!.Forget("a");
        Assert.Equal("a", slot.Session);
        _cache.Detach(allocation);

        Assert.Null(slot.Session);
        Assert.Empty(slot.Tokens);
        var next = Compute("b");
        _cache.Detach(next);
        Assert.Contains(_cache.Slots, kept => kept.Session == "b");
    }

    [Fact]
    public void TryAllocate_RuntimeThrowsDuringRestore_ReleasesTheState()
    {
        Open(hostBytes: 4 * StateBytes);
        var preempted = Compute("a");
        _cache!.Preempt(preempted);
        OffloadLast();
        OffloadLast();
        var state = _cache.Offloaded.Find("a")!.State!;
        _context.LoadFault = new InvalidOperationException("made to fail");

        Assert.Throws<InvalidOperationException>(() => _cache.TryAllocate(preempted));

        Assert.False(state.IsClosed);
        _cache.CancelWait(preempted);
        _cache.Forget("a");
        Assert.True(state.IsClosed);
    }

    public void Dispose() => _cache?.Dispose();

    private void Open(long hostBytes) => _cache = new KvCache(
        _context, new OffloadedSessions(hostBytes, disk: null, _rates, _time), _rates, _time, NullLogger.Instance);

    private int _sessions;

    /// <summary>Allocates a slot for another session, so that the one in it is offloaded.</summary>
    private void OffloadLast()
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        _cache!.Detach(Compute($"other{_sessions++}"));
    }

    /// <summary>Computes a session with tokens of its own, all but the last.</summary>
    private KvAllocation Compute(string session)
    {
        var random = new Random(session.Sum(letter => letter));
        var allocation = new KvAllocation(
            session, "t", 0, [.. Enumerable.Range(0, Tokens + 1).Select(_ => random.Next(250))]);
        Assert.Equal(KvAllocationOutcome.Allocated, _cache!.TryAllocate(allocation));
        var slot = allocation.Slot!;
        var batch = new TokenBatch(256);
        foreach (var token in allocation.Tokens.Skip(slot.Tokens.Count).SkipLast(1))
        {
            batch.Add(token, slot.Tokens.Count, slot.Id, output: false);
            slot.Tokens.Add(token);
        }

        _context.Decode(batch);
        return allocation;
    }
}
