using Herd.Contracts.Conversations;
using Herd.Grains.Conversations.Storage;
using Herd.Testing;

namespace Herd.Grains.Tests.Conversations.Storage;

public sealed class WriteBehindTests : IDisposable
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(500);

    private readonly PatientTime _time = new();
    private readonly MemoryConversationStore _store = new();
    private readonly FakeActivation _activation = FakeActivation.New("c");
    private readonly Transcript _transcript;
    private readonly WriteBehind _writeBehind;
    private readonly List<TimeSpan> _waits = [];

    public WriteBehindTests()
    {
        _transcript = new Transcript(_store, "t", "c");
        _writeBehind = new WriteBehind(new Activation(_activation.Context), _transcript, _time);
        _time.OnWait = _waits.Add;
    }

    private IEnumerable<string> Stored => _store.Stored!.Conversation.Turns.Select(turn => turn.Id);

    public void Dispose() => _transcript.Dispose();

    [Fact]
    public async Task IsSaved_AllIsStored_IsTrueAtOnce()
    {
        await _transcript.Write(New("1"), firstTurn: 0);

        Assert.True(await _writeBehind.IsSaved());

        Assert.Equal((1, 0, 0), (_store.Writes, _waits.Count, _activation.Timers.Running.Count));
    }

    [Fact]
    public async Task IsSaved_StoreReturnsMeanwhile_IsTrueAndNeedsNoTimer()
    {
        await LeaveUnsaved("1");
        _time.OnWait = wait =>
        {
            _waits.Add(wait);
            _store.IsAway = _waits.Count < 3;
        };

        Assert.True(await _writeBehind.IsSaved());

        Assert.Equal([RetryDelay, RetryDelay, RetryDelay], _waits);
        Assert.Equal(["1"], Stored);
        Assert.Empty(_activation.Timers.Running);
    }

    /// <summary>The caller waits for two seconds at most. The timer keeps the conversation active.</summary>
    [Fact]
    public async Task IsSaved_StoreStaysAway_IsFalseAfterTwoSecondsAndATimerGoesOn()
    {
        await LeaveUnsaved("1");

        Assert.False(await _writeBehind.IsSaved());

        Assert.Equal([RetryDelay, RetryDelay, RetryDelay, RetryDelay], _waits);
        var timer = Assert.Single(_activation.Timers.Running);
        Assert.Equal(
            (RetryDelay, RetryDelay, true, true), (timer.DueTime, timer.Period, timer.Interleave, timer.KeepAlive));
    }

    /// <summary>Not every change is a turn whose caller asks if it is saved.</summary>
    [Fact]
    public async Task Write_StoreIsAway_OneTimerStartsAtOnce()
    {
        await LeaveUnsaved("1", "2");

        Assert.Single(_activation.Timers.Running);
        _store.IsAway = false;
        await _activation.Timers.Tick();
        Assert.Equal(["1", "2"], Stored);
    }

    [Fact]
    public async Task Tick_StoreIsStillAway_KeepsTheTurnsAndTriesAgain()
    {
        await LeaveUnsaved("1");
        await _writeBehind.IsSaved();
        var before = _store.Writes;

        await _activation.Timers.Tick();
        await _activation.Timers.Tick();

        Assert.Equal(before + 2, _store.Writes);
        Assert.Single(_activation.Timers.Running);
        Assert.False(_activation.IsDeactivated);
        Assert.Equal("1", _transcript.Conversation!.Turns.Single().Id);
    }

    [Fact]
    public async Task Tick_StoreIsBack_StoresAllInOneWriteInOrderAndEnds()
    {
        await LeaveUnsaved("1", "2", "3");
        await _transcript.AcquireEpoch("a");
        await _writeBehind.IsSaved();
        var before = _store.Writes;
        _store.IsAway = false;

        await _activation.Timers.Tick();

        Assert.Equal(["1", "2", "3"], Stored);
        Assert.Equal(("a", 1L), (_store.Stored!.Conversation.Home, _store.Stored.Conversation.Epoch));
        Assert.Equal(before + 1, _store.Writes);
        Assert.Empty(_activation.Timers.Running);
        Assert.True(await _writeBehind.IsSaved());
    }

    [Fact]
    public async Task IsSaved_StoreIsAwayASecondTime_ATimerGoesOnAgain()
    {
        await LeaveUnsaved("1");
        await _writeBehind.IsSaved();
        _store.IsAway = false;
        await _activation.Timers.Tick();

        _store.IsAway = true;
        await _transcript.Write(New("1", "2"), firstTurn: 1);
        Assert.False(await _writeBehind.IsSaved());
        Assert.Single(_activation.Timers.Running);
        _store.IsAway = false;
        await _activation.Timers.Tick();

        Assert.Equal(["1", "2"], Stored);
    }

    /// <summary>The store takes the write under way, and has not yet responded to the one behind it.</summary>
    [Fact]
    public async Task Tick_ChangeComesDuringTheWrite_TimerGoesOnUntilThatIsStoredToo()
    {
        await LeaveUnsaved("1");
        var (first, second) = (new TaskCompletionSource(), new TaskCompletionSource());
        (_store.IsAway, _store.WriteDelay) = (false, first.Task);

        var tick = _activation.Timers.Tick();
        var change = _transcript.Write(New("1", "2"), firstTurn: 1);
        _store.WriteDelay = second.Task;
        first.SetResult();
        await tick;

        Assert.Equal(["1"], Stored);
        Assert.Single(_activation.Timers.Running);
        second.SetException(new TimeoutException());
        await change;
        _store.WriteDelay = Task.CompletedTask;
        await _activation.Timers.Tick();
        Assert.Equal(["1", "2"], Stored);
        Assert.Empty(_activation.Timers.Running);
    }

    /// <summary>The memory is stale. What another owner wrote stays, and the next call reads it.</summary>
    [Fact]
    public async Task Tick_AnotherOwnerHasWritten_OverwritesNothingAndDeactivates()
    {
        await LeaveUnsaved("1");
        await _writeBehind.IsSaved();
        var theirs = _store.Stored = new StoredConversation(New("2"), Revision: 9);
        _store.IsAway = false;

        await _activation.Timers.Tick();

        Assert.Same(theirs, _store.Stored);
        Assert.Empty(_activation.Timers.Running);
        Assert.True(_activation.IsDeactivated);
    }

    [Fact]
    public async Task IsSaved_AnotherOwnerHasWritten_IsFalseAndDeactivates()
    {
        await LeaveUnsaved("1");
        var theirs = _store.Stored = new StoredConversation(New("2"), Revision: 9);
        _store.IsAway = false;

        Assert.False(await _writeBehind.IsSaved());

        Assert.Same(theirs, _store.Stored);
        Assert.True(_activation.IsDeactivated);
        Assert.Equal([RetryDelay], _waits);
        Assert.Empty(_activation.Timers.Running);
    }

    /// <summary>The grain deactivates; nothing would end a timer that starts now.</summary>
    [Fact]
    public async Task Write_AfterAConflictWhileTheStoreIsAway_StartsNoTimer()
    {
        await LeaveUnsaved("1");
        _store.Stored = new StoredConversation(New("2"), Revision: 9);
        _store.IsAway = false;
        await _activation.Timers.Tick();

        _store.IsAway = true;
        await _transcript.Write(New("1", "3"), firstTurn: 1);

        Assert.False(await _writeBehind.IsSaved());
        Assert.Empty(_activation.Timers.Running);
    }

    /// <summary>A deactivation whose time is up still makes the last try.</summary>
    [Fact]
    public async Task Close_IsCancelled_StoresAllTheSame()
    {
        await LeaveUnsaved("1");
        _store.IsAway = false;

        await _writeBehind.Close(new CancellationToken(canceled: true));

        Assert.Equal(["1"], Stored);
    }

    [Fact]
    public async Task Close_StoreIsAway_EndsTheTimerAndStartsNoOther()
    {
        await LeaveUnsaved("1");

        await _writeBehind.Close(CancellationToken.None);
        await _transcript.Write(New("1", "2"), firstTurn: 1);

        Assert.False(await _writeBehind.IsSaved());
        Assert.Empty(_activation.Timers.Running);
    }

    /// <summary>A conversation that was stored, and turns that only its owner's memory has.</summary>
    private async Task LeaveUnsaved(params string[] turns)
    {
        await _transcript.Write(New(), firstTurn: 0);
        _store.IsAway = true;
        for (var i = 0; i < turns.Length; i++)
        {
            await _transcript.Write(New(turns[..(i + 1)]), firstTurn: i);
        }
    }

    private static Conversation New(params string[] turns) => new()
    {
        Id = "c",
        Created = DateTimeOffset.UnixEpoch,
        Turns =
        [
            .. turns.Select(id => new Turn
            {
                Id = id,
                State = TurnState.Completed,
                Input = [],
                Created = DateTimeOffset.UnixEpoch,
                Settings = new GenerationSettings(),
            }),
        ],
    };

    private sealed record Activation(IGrainContext GrainContext) : IGrainBase;
}
