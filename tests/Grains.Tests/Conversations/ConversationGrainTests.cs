using System.Reflection;
using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Grains.Conversations;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Conversations.Turns.Events;
using Herd.Grains.Tests.Conversations.Storage;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Grains.Tests.Conversations;

public sealed class ConversationGrainTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly MemoryConversationStore _store = new();
    private readonly FakeActivation _activation = FakeActivation.New(GrainKey.Conversation("t", "c"));
    private readonly GatewayDrain _drain;
    private readonly ConversationGrain _grain;

    public ConversationGrainTests()
    {
        _drain = new GatewayDrain(_time);
        _grain = new ConversationGrain(
            _activation.Context,
            _store,
            executor: null!,
            migration: null!,
            sessions: null!,
            _drain,
            new LocalEventChannels(),
            usage: null!,
            grains: null!, _time);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _grain.Dispose();
        _drain.Dispose();
    }

    [Fact]
    public async Task Read_AnotherOwnerWroteSince_FailsAndDeactivates()
    {
        await Activate();
        WriteAsAnotherOwner();

        var error = await Assert.ThrowsAsync<HerdException>(() => Call(() => _grain.Read(Cancellation)));

        Assert.Equal((HerdError.Conflict, true), (error.Error, _activation.IsDeactivated));
    }

    [Fact]
    public async Task UpdateMetadata_AnotherOwnerWroteSince_FailsAndDeactivates()
    {
        await Activate();
        WriteAsAnotherOwner();

        var error = await Assert.ThrowsAsync<HerdException>(
            () => Call(() => _grain.UpdateMetadata(new Dictionary<string, string>(), Cancellation)));

        Assert.Equal((HerdError.Conflict, true), (error.Error, _activation.IsDeactivated));
    }

    /// <summary>Failures of streams do not pass the call filter.</summary>
    [Fact]
    public async Task Converse_AnotherOwnerWroteSince_FailsAndDeactivates()
    {
        await Activate();
        WriteAsAnotherOwner();
        var request = new TurnRequest { TurnId = "1", Input = [], Settings = new GenerationSettings() };

        var error = await Assert.ThrowsAsync<HerdException>(async () =>
        {
            await foreach (var update in _grain.Converse(request, Cancellation))
            {
                Assert.Fail($"It streamed {update}.");
            }
        });

        Assert.Equal((HerdError.Conflict, true), (error.Error, _activation.IsDeactivated));
    }

    [Fact]
    public async Task Converse_RefusalAfterAnotherOwnerWrote_IsAConflict()
    {
        await Activate();
        WriteAsAnotherOwner();
        var request = new TurnRequest { TurnId = "1", After = "0", Input = [], Settings = new GenerationSettings() };

        var error = await Assert.ThrowsAsync<HerdException>(
            async () => await _grain.Converse(request, Cancellation).GetAsyncEnumerator(Cancellation).MoveNextAsync());

        Assert.Equal((HerdError.Conflict, true), (error.Error, _activation.IsDeactivated));
    }

    /// <summary>Another owner may have answered the turn, so nobody is told that it is unknown.</summary>
    [Fact]
    public async Task Converse_RefusalWhileTheStoreIsAway_SaysToTryLater()
    {
        await Activate();
        _store.IsAway = true;
        var request = new TurnRequest
        {
            TurnId = "1", Offset = new AnswerOffset(3, 1), Input = [], Settings = new GenerationSettings(),
        };

        var error = await Assert.ThrowsAsync<HerdException>(
            async () => await _grain.Converse(request, Cancellation).GetAsyncEnumerator(Cancellation).MoveNextAsync());

        Assert.Equal((HerdError.StoreUnavailable, false), (error.Error, _activation.IsDeactivated));
    }

    [Theory]
    [InlineData(HerdError.Conflict, true)]
    [InlineData(HerdError.Fenced, true)]
    [InlineData(HerdError.StoreUnavailable, false)]
    [InlineData(HerdError.ConversationNotFound, false)]
    public async Task Invoke_CallFails_DeactivatesIfOwnedElsewhere(HerdError failure, bool deactivates)
    {
        var error = await Assert.ThrowsAsync<HerdException>(
            () => Call(() => throw new HerdException(failure, "failed")));

        Assert.Equal((failure, deactivates), (error.Error, _activation.IsDeactivated));
    }

    [Theory]
    [InlineData(1, 0, true)]
    [InlineData(1, 1, false)]
    [InlineData(1, 2, false)]
    [InlineData(2, 1, true)]
    [InlineData(0, 0, false)]
    public async Task DeleteIfUnused_OfALastTurn_DeletesIfThatIsOlder(int since, int lastTurn, bool isDeleted)
    {
        var turn = new Turn
        {
            Id = "1",
            State = TurnState.Completed,
            Input = [],
            Created = DateTimeOffset.UnixEpoch.AddDays(lastTurn),
            Settings = new GenerationSettings(),
        };
        await Activate(turn);

        var expiry = await _grain.DeleteIfUnused(DateTimeOffset.UnixEpoch.AddDays(since), Cancellation);

        Assert.Equal((isDeleted, isDeleted ? null : turn.Created), (expiry.IsDeleted, expiry.LastUse));
        Assert.Equal(isDeleted, _store.Stored is null);
    }

    [Fact]
    public async Task DeleteIfUnused_AnotherOwnerWroteSince_FailsAndDeletesNothing()
    {
        await Activate();
        WriteAsAnotherOwner();

        await Assert.ThrowsAsync<HerdException>(
            () => Call(() => _grain.DeleteIfUnused(DateTimeOffset.MaxValue, Cancellation)));

        Assert.NotNull(_store.Stored);
    }

    private async Task Activate(params Turn[] turns)
    {
        _store.Stored = new StoredConversation(
            new Conversation { Id = "c", Created = DateTimeOffset.UnixEpoch, Turns = turns }, 1);
        await _grain.OnActivateAsync(Cancellation);
    }

    private void WriteAsAnotherOwner() => _store.Stored = _store.Stored! with { Revision = 2 };

    private Task Call(Func<Task> method)
    {
        var call = DispatchProxy.Create<IIncomingGrainCallContext, IncomingCall>();
        ((IncomingCall)(object)call).Method = method;
        return _grain.Invoke(call);
    }

    public class IncomingCall : DispatchProxy
    {
        public Func<Task> Method { get; set; } = null!;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => Method();
    }
}
