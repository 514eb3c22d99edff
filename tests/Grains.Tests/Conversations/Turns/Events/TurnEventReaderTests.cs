using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Grains.Conversations.Turns.Events;

namespace Herd.Grains.Tests.Conversations.Turns.Events;

public sealed class TurnEventReaderTests
{
    private readonly LocalEventChannels _channels = new();
    private readonly TurnEventReader _reader;

    public TurnEventReaderTests() => _reader = new TurnEventReader(_channels);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Read_ConversationOfThisProcess_SendsNoMessages()
    {
        var conversation = FakeConversation.New(async (events, _) =>
        {
            events.Write(Delta("a"));
            events.Write(Delta("b"));
            await Task.Yield();
        }, _channels);

        Assert.Equal("ab", await Read(conversation));
        Assert.Equal(0, conversation.Messages);
    }

    [Fact]
    public async Task Read_ConversationOfAnotherProcess_ReadsMessages()
    {
        var conversation = FakeConversation.New(
            (events, _) =>
            {
                events.Write(Delta("a"));
                events.Write(Delta("b"));
                return Task.CompletedTask;
            },
            new LocalEventChannels());

        Assert.Equal("ab", await Read(conversation));
        Assert.Equal(2, conversation.Messages);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Read_CallFails_FailsAfterTheEventsBefore(bool isLocal)
    {
        var conversation = FakeConversation.New(
            (events, _) =>
            {
                events.Write(Delta("a"));
                throw new HerdException(HerdError.Conflict, "moved");
            },
            isLocal ? _channels : new LocalEventChannels());
        var came = "";

        var error = await Assert.ThrowsAsync<HerdException>(async () =>
        {
            await foreach (var update in _reader.Read(conversation.Grain, Request, Cancellation))
            {
                came += update.Delta!.Text;
            }
        });

        Assert.Equal(("a", HerdError.Conflict), (came, error.Error));
    }

    [Fact]
    public async Task Read_ReaderLeaves_EndsTheCall()
    {
        var ended = false;
        var conversation = FakeConversation.New(async (events, cancellation) =>
        {
            events.Write(Delta("a"));
            try
            {
                await Task.Delay(Timeout.Infinite, cancellation);
            }
            finally
            {
                ended = true;
            }
        }, _channels);

        await foreach (var update in _reader.Read(conversation.Grain, Request, Cancellation))
        {
            break;
        }

        Assert.True(ended);
    }

    /// <summary>
    /// A second call of the same turn takes over while the first one ends. Each writes to its own caller's channel.
    /// </summary>
    [Fact]
    public async Task Read_SameTurnTwice_EachReaderGetsTheEventsOfItsOwnCall()
    {
        var secondArrived = new TaskCompletionSource();
        var first = FakeConversation.New(Writes("first"), _channels, _ => secondArrived.Task);
        var second = FakeConversation.New(Writes("second"), _channels, _ =>
        {
            secondArrived.SetResult();
            return Task.CompletedTask;
        });

        var earlier = Read(first);
        var later = Read(second);

        Assert.Equal(("first", "second"), (await earlier, await later));

        static Func<TurnEvents, CancellationToken, Task> Writes(string text) => (events, _) =>
        {
            events.Write(Delta(text));
            return Task.CompletedTask;
        };
    }

    [Fact]
    public async Task Read_CallEnded_ChannelIsRemoved()
    {
        TurnRequest? sent = null;
        var conversation = FakeConversation.New((_, _) => Task.CompletedTask, _channels, request =>
        {
            sent = request;
            return Task.CompletedTask;
        });

        await Read(conversation);

        Assert.NotNull(sent!.EventChannel);
        Assert.Null(_channels.Find(sent.EventChannel));
    }

    private static TurnRequest Request { get; } =
        new() { TurnId = "1", Input = [], Settings = new GenerationSettings() };

    private static TurnEvent Delta(string text) => new() { Delta = new AnswerDelta(text, 1, 1) };

    private async Task<string> Read(FakeConversation conversation)
    {
        var text = "";
        await foreach (var update in _reader.Read(conversation.Grain, Request, Cancellation))
        {
            text += update.Delta!.Text;
        }

        return text;
    }
}
