using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Grains.Conversations;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Conversations.Turns.Events;
using Herd.Grains.Tests.Conversations.Turns;
using static Herd.Grains.Tests.Conversations.FakeNodes;

namespace Herd.Grains.Tests.Conversations;

/// <summary>A conversation whose gateway drains in mid-answer, and the same one at another gateway.</summary>
public sealed class ConversationDrainTests : TurnExecutorScene
{
    private readonly (IGrainFactory Grains, FakeNodes Nodes) _nodes = New((_, request) =>
        request.Produced.Count == 0 ? [Token(1), Token(2), Hang] : [Token(3), End(3)]);

    private readonly TurnRequest _request = new()
    {
        TurnId = "1", Input = [new Message(Role.User, "hello")], Settings = new GenerationSettings(),
    };

    public ConversationDrainTests() => Store.Stored =
        new StoredConversation(new Conversation { Id = "c", Created = DateTimeOffset.UnixEpoch }, 1);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Converse_GatewayDrains_StoresTheAnswerSoFarAndDeactivates()
    {
        using var drain = new GatewayDrain(Time);
        var activation = FakeActivation.New(GrainKey.Conversation("t", "c"));

        var (text, _, error) = await Converse(activation, drain, _request, drainAt: "1 2 ");

        Assert.Equal(("1 2 ", HerdError.Conflict), (text, error!.Error));
        Assert.Equal((TurnState.Cancelled, "1 2 "), (Stored.State, Stored.Answer.Text));
        Assert.True(activation.IsDeactivated);
    }

    [Fact]
    public async Task Converse_ResumedAtAnotherGateway_ContinuesOnTheSameNodeBehindTheOffset()
    {
        using var drain = new GatewayDrain(Time);
        using var other = new GatewayDrain(Time);
        var (_, offset, _) = await Converse(
            FakeActivation.New(GrainKey.Conversation("t", "c")), drain, _request, drainAt: "1 2 ");

        var (text, _, error) = await Converse(
            FakeActivation.New(GrainKey.Conversation("t", "c")), other, _request with { Offset = offset });

        Assert.Null(error);
        Assert.Equal("3 ", text);
        Assert.Equal((TurnState.Completed, "1 2 3 "), (Stored.State, Stored.Answer.Text));
        Assert.Equal(
            [("a", 1L, 0), ("a", 2L, 2)],
            _nodes.Nodes.Calls.Select(call => (call.Node, call.Request.Epoch, call.Request.Produced.Count)));
    }

    /// <summary>Takes a turn at a gateway, which drains when the text was delivered.</summary>
    private async Task<(string Text, AnswerOffset Offset, HerdException? Error)> Converse(
        FakeActivation activation, GatewayDrain drain, TurnRequest request, string? drainAt = null)
    {
        using var grain = new ConversationGrain(
            activation.Context,
            Store,
            Executor(_nodes.Grains),
            migration: null!,
            sessions: null!,
            drain,
            new LocalEventChannels(),
            Usage,
            grains: null!,
            Time);
        await grain.OnActivateAsync(Cancellation);
        var (text, offset, stopping) = ("", request.Offset, Task.CompletedTask);
        try
        {
            await foreach (var update in grain.Converse(request, Cancellation))
            {
                text += update.Delta?.Text;
                offset = update.Delta is { } delta ? offset.After(delta) : offset;
                if (text == drainAt && !drain.Started.IsCancellationRequested)
                {
                    stopping = drain.StoppingAsync(Cancellation);
                }
            }

            return (text, offset, null);
        }
        catch (HerdException e)
        {
            return (text, offset, e);
        }
        finally
        {
            await stopping;
        }
    }
}
