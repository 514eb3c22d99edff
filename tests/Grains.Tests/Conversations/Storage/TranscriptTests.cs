using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Grains.Conversations.Storage;

namespace Herd.Grains.Tests.Conversations.Storage;

public sealed class TranscriptTests : IDisposable
{
    private readonly MemoryConversationStore _store = new();
    private readonly Transcript _transcript;

    public TranscriptTests() => _transcript = new Transcript(_store, "t", "c");

    public void Dispose() => _transcript.Dispose();

    [Fact]
    public async Task Write_StoreIsAway_IsKeptInMemoryAndStoredLater()
    {
        await Write(New());
        _store.IsAway = true;

        await Write(New(Turn("1")));
        var epoch = await _transcript.AcquireEpoch("a");
        await Write(_transcript.Conversation! with { Turns = [Turn("1"), Turn("2")] }, firstTurn: 1);

        Assert.Equal((false, 2, 1L), (_transcript.IsSaved, _transcript.Conversation!.Turns.Count, epoch));
        Assert.Empty(_store.Stored!.Conversation.Turns);
        await Assert.ThrowsAsync<HerdException>(_transcript.Flush);

        _store.IsAway = false;
        await _transcript.Flush();

        Assert.True(_transcript.IsSaved);
        Assert.Equal(("a", 1L), (_store.Stored.Conversation.Home, _store.Stored.Conversation.Epoch));
        Assert.Equal(["1", "2"], _store.Stored.Conversation.Turns.Select(turn => turn.Id));
    }

    [Fact]
    public async Task Write_NeverStoredAndStoreIsAway_IsRefusedAndUndone()
    {
        _store.IsAway = true;

        var error = await Assert.ThrowsAsync<HerdException>(() => Write(New()));

        Assert.Equal(HerdError.StoreUnavailable, error.Error);
        Assert.Null(_transcript.Conversation);
        Assert.True(_transcript.IsSaved);
    }

    [Fact]
    public async Task Flush_AnotherOwnerHasWritten_IsAConflict()
    {
        await Write(New());
        _store.IsAway = true;
        await Write(New(Turn("1")));
        _store.IsAway = false;
        _store.Stored = _store.Stored! with { Revision = 9 };

        Assert.Equal(HerdError.Conflict, (await Assert.ThrowsAsync<HerdException>(_transcript.Flush)).Error);
    }

    [Fact]
    public async Task IsStale_AnotherOwnerHasWritten_IsTrue()
    {
        await Write(New());
        var before = await _transcript.IsStale(CancellationToken.None);
        _store.Stored = _store.Stored! with { Revision = 9 };

        Assert.Equal(((bool?)false, (bool?)true), (before, await _transcript.IsStale(CancellationToken.None)));
    }

    [Fact]
    public async Task IsStale_AnotherOwnerHasDeletedOrCreatedIt_IsTrue()
    {
        var never = await _transcript.IsStale(CancellationToken.None);
        _store.Stored = new StoredConversation(New(), 1);
        var made = await _transcript.IsStale(CancellationToken.None);
        await _transcript.Load(CancellationToken.None);
        _store.Stored = null;

        Assert.Equal(
            ((bool?)false, (bool?)true, (bool?)true), (never, made, await _transcript.IsStale(CancellationToken.None)));
    }

    /// <summary>The unsaved write in memory will be refused, unless the stored one is its own.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task IsStale_NotAllIsSaved_IsTrueIfAnotherOwnerHasWritten(bool byOther)
    {
        await Write(New());
        _store.IsAway = true;
        await Write(New(Turn("1")));
        _store.IsAway = false;
        _store.Stored = _store.Stored! with { Revision = 2 };
        _store.Owner = byOther ? "other" : _store.Owner;

        Assert.Equal(byOther, await _transcript.IsStale(CancellationToken.None));
    }

    [Fact]
    public async Task IsStale_StoreIsAway_IsUnknown()
    {
        await Write(New());
        _store.Stored = _store.Stored! with { Revision = 9 };
        _store.IsAway = true;

        Assert.Null(await _transcript.IsStale(CancellationToken.None));
    }

    private Task Write(Conversation conversation, int firstTurn = 0) =>
        _transcript.Write(conversation, firstTurn);

    private static Conversation New(params Turn[] turns) =>
        new() { Id = "c", Created = DateTimeOffset.UnixEpoch, Turns = turns };

    private static Turn Turn(string id) => new()
    {
        Id = id,
        State = TurnState.Pending,
        Input = [],
        Created = DateTimeOffset.UnixEpoch,
        Settings = new GenerationSettings(),
    };
}
