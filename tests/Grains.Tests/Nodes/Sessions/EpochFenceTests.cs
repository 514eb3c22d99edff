using FsCheck.Xunit;
using Herd.Contracts.Errors;
using Herd.Grains.Nodes.Sessions;

namespace Herd.Grains.Tests.Nodes.Sessions;

public sealed class EpochFenceTests
{
    private readonly EpochFence _fence = new();

    [Fact]
    public void Begin_OlderEpoch_IsRefusedAndChangesNothing()
    {
        using var work = _fence.Begin(5, CancellationToken.None);

        var error = Assert.Throws<HerdException>(() => _fence.Begin(4, CancellationToken.None));

        Assert.Equal(HerdError.Fenced, error.Error);
        Assert.False(work.Token.IsCancellationRequested);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(6)]
    public void Begin_SameOrNewerEpoch_EndsTheWorkBefore(long epoch)
    {
        using var before = _fence.Begin(5, CancellationToken.None);
        using var work = _fence.Begin(epoch, CancellationToken.None);

        Assert.True(before.Token.IsCancellationRequested);
        Assert.False(work.Token.IsCancellationRequested);
    }

    [Fact]
    public void Admit_WorkThatIsOver_IsLeftAlone()
    {
        _fence.Begin(5, CancellationToken.None).Dispose();

        _fence.Admit(6);

        Assert.Throws<HerdException>(() => _fence.Admit(5));
    }

    [Fact]
    public void Begin_CallerCancels_EndsTheWork()
    {
        using var caller = new CancellationTokenSource();
        using var work = _fence.Begin(1, caller.Token);

        caller.Cancel();

        Assert.True(work.Token.IsCancellationRequested);
    }

    [Fact]
    public void RequireNewest_NewerWorkHasBegun_IsRefused()
    {
        using var older = _fence.Begin(1, CancellationToken.None);
        older.RequireNewest();
        using var newer = _fence.Begin(1, CancellationToken.None);

        var error = Assert.Throws<HerdException>(older.RequireNewest);

        Assert.Equal(HerdError.Fenced, error.Error);
        newer.RequireNewest();
    }

    [Fact]
    public void RequireNewest_CallerGaveUp_IsCancelled()
    {
        using var caller = new CancellationTokenSource();
        using var work = _fence.Begin(1, caller.Token);

        caller.Cancel();

        Assert.Throws<OperationCanceledException>(work.RequireNewest);
    }

    /// <summary>
    /// Whatever order epochs come in, what runs last was begun with the highest of them, and nothing else runs.
    /// </summary>
    [Property]
    public bool Begin_AnyEpochs_OnlyTheNewestRuns(byte[] epochs)
    {
        var fence = new EpochFence();
        var begun = new List<(byte Epoch, EpochFence.Work Work)>();
        foreach (var epoch in epochs)
        {
            try
            {
                begun.Add((epoch, fence.Begin(epoch, CancellationToken.None)));
            }
            catch (HerdException)
            {
                // An older epoch.
            }
        }

        var running = begun.Where(entry => !entry.Work.Token.IsCancellationRequested).ToList();
        return epochs.Length == 0
            || (running.Count == 1 && running[0] == begun[^1] && running[0].Epoch == epochs.Max());
    }
}
