using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Placements;
using Herd.Grains.Conversations;
using Herd.Grains.Conversations.Turns;
using Herd.Grains.Conversations.Turns.Attempts;
using Herd.Grains.Conversations.Turns.Events;
using Herd.Grains.Scaling;
using Herd.Grains.Tests.Conversations.Turns;
using Microsoft.Extensions.Logging.Abstractions;
using static Herd.Grains.Tests.Conversations.FakeNodes;

namespace Herd.Grains.Tests.Conversations;

/// <summary>Changes of a conversation in memory, while the store is away. They land without another turn.</summary>
public sealed class ConversationOutageTests : TurnExecutorScene
{
    private readonly (IGrainFactory Grains, FakeNodes Nodes) _nodes =
        New((_, _) => [new HerdException(HerdError.ContextOverflow, "The prompt is too long.")]);

    private readonly FakeActivation _activation = FakeActivation.New(GrainKey.Conversation("t", "c"));

    public ConversationOutageTests()
    {
        History();
        var conversation = Store.Stored!.Conversation;
        Store.Stored = Store.Stored with
        {
            Conversation = conversation with { Turns = [conversation.Turns[0]], Home = "a", Epoch = 5 },
        };
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task UpdateMetadata_StoreIsAway_LandsWhenItIsBack()
    {
        var stored = await ChangeWhileAway(
            grain => grain.UpdateMetadata(new Dictionary<string, string> { ["topic"] = "x" }, Cancellation));

        Assert.Equal("x", stored.Metadata!["topic"]);
    }

    [Fact]
    public async Task DeleteTurn_StoreIsAway_LandsWhenItIsBack()
    {
        var conversation = Store.Stored!.Conversation;
        Store.Stored = Store.Stored with
        {
            Conversation = conversation with
            {
                Turns = [conversation.Turns[0], conversation.Turns[0] with { Id = "1" }],
            },
        };

        var stored = await ChangeWhileAway(grain => grain.DeleteTurn("1", Cancellation));

        Assert.Equal("0", Assert.Single(stored.Turns).Id);
    }

    [Fact]
    public async Task Migrate_StoreIsAway_NewHomeLandsWhenItIsBack()
    {
        var stored = await ChangeWhileAway(
            grain => grain.Migrate("a", target: null, PlacementReason.Rebalanced, Cancellation));

        Assert.Equal(("b", 6L), (stored.Home, stored.Epoch));
    }

    [Fact]
    public async Task Converse_TurnFailsWhileTheStoreIsAway_FailureLandsWhenItIsBack()
    {
        var request = new TurnRequest
        {
            TurnId = "1", Input = [new Message(Role.User, "hello")], Settings = new GenerationSettings(),
        };

        var stored = await ChangeWhileAway(grain => Assert.ThrowsAsync<HerdException>(async () =>
        {
            await foreach (var update in grain.Converse(request, Cancellation))
            {
                Assert.Null(update.Completed);
            }
        }));

        Assert.Equal(TurnState.Failed, stored.Turns[^1].State);
    }

    /// <summary>Makes one change while the store is away. Then the store is back, and a timer ticks.</summary>
    /// <returns>What the store has then.</returns>
    private async Task<Conversation> ChangeWhileAway(Func<ConversationGrain, Task> change)
    {
        using var drain = new GatewayDrain(Time);
        var sessions = new SessionClient(Registry, _nodes.Grains, Time);
        var turnRouter = new TurnRouter(Registry, Router, Pools.None, Time);
        using var grain = new ConversationGrain(
            _activation.Context,
            Store,
            Executor(_nodes.Grains),
            new SessionMigration(Registry, Router, turnRouter, sessions, NullLogger<SessionMigration>.Instance),
            sessions,
            drain,
            new LocalEventChannels(),
            Usage,
            _nodes.Grains,
            Time);
        await grain.OnActivateAsync(Cancellation);
        var before = Store.Stored!.Revision;
        Store.IsAway = true;
        await change(grain);
        Assert.Equal(before, Store.Stored.Revision);

        Store.IsAway = false;
        await _activation.Timers.Tick();

        Assert.Empty(_activation.Timers.Running);
        return Store.Stored.Conversation;
    }
}
