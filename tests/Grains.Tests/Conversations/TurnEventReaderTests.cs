using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Grains.Conversations;
using Herd.Grains.Conversations.Turns;

namespace Herd.Grains.Tests.Conversations;

public sealed class TurnEventReaderTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_ConversationOfThisProcess_IsReadWithoutMessages()
    {
        var conversation = FakeConversation.New(async (events, _) =>
        {
            events.Write(Delta("a"));
            events.Write(Delta("b"));
            await Task.Yield();
        });

        Assert.Equal("ab", await Read(conversation));
        Assert.Equal(0, conversation.Messages);
    }

    [Fact]
    public async Task Of_ConversationOfAnotherProcess_IsReadFromMessages()
    {
        var conversation = FakeConversation.New(
            (events, _) =>
            {
                events.Write(Delta("a"));
                events.Write(Delta("b"));
                return Task.CompletedTask;
            },
            isHere: false);

        Assert.Equal("ab", await Read(conversation));
        Assert.Equal(2, conversation.Messages);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Of_CallFails_TellsItAfterWhatCame(bool isHere)
    {
        var conversation = FakeConversation.New(
            (events, _) =>
            {
                events.Write(Delta("a"));
                throw new HerdException(HerdError.Conflict, "moved");
            },
            isHere);
        var came = "";

        var error = await Assert.ThrowsAsync<HerdException>(async () =>
        {
            await foreach (var update in TurnEventReader.Read(conversation.Grain, Request, Cancellation))
            {
                came += update.Delta!.Text;
            }
        });

        Assert.Equal(("a", HerdError.Conflict), (came, error.Error));
    }

    [Fact]
    public async Task Of_ReaderLeaves_EndsTheCall()
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
        });

        await foreach (var update in TurnEventReader.Read(conversation.Grain, Request, Cancellation))
        {
            break;
        }

        Assert.True(ended);
    }

    private static TurnRequest Request { get; } = new() { TurnId = "1", Input = [], Settings = new GenerationSettings() };

    private static TurnEvent Delta(string text) => new() { Delta = new AnswerDelta(text, 1, 1) };

    private static async Task<string> Read(FakeConversation conversation)
    {
        var text = "";
        await foreach (var update in TurnEventReader.Read(conversation.Grain, Request, Cancellation))
        {
            text += update.Delta!.Text;
        }

        return text;
    }
}
