using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Answers;
using Herd.Gateway.Conversations;
using Herd.Gateway.OpenAi;

namespace Herd.Gateway.Tests.Conversations;

/// <summary>
/// Streams that end before their result. Each reader throws; a reader that ignores the end reads for ever.
/// </summary>
public sealed class TurnEventStreamTests
{
    private static readonly TurnEvent Started = new() { Started = new TurnStarted("turn_1", "model", "node-1") };
    private static readonly TurnEvent Delta = new() { Delta = new AnswerDelta("a", 1) };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ReadFirst_StreamIsEmpty_Throws()
    {
        var stream = new EndedStream();

        await ThrowsUnavailable(() => stream.ReadFirst(Cancellation));

        Assert.True(stream.IsDisposed);
    }

    [Fact]
    public async Task ReplyBegin_StreamEndsAfterStarted_Throws()
    {
        var stream = new EndedStream(Started);
        var events = await stream.ReadFirst(Cancellation);

        await ThrowsUnavailable(() => Reply.Begin("session", events, Reader()));

        Assert.True(stream.IsDisposed);
    }

    [Fact]
    public async Task ReplyWhole_StreamEndsInMidAnswer_Throws()
    {
        var events = await new EndedStream(Started, Delta).ReadFirst(Cancellation);
        await using var reply = await Reply.Begin("session", events, Reader());

        await ThrowsUnavailable(() => reply.Whole(Cancellation));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task ChoicesBegin_StreamsEndAfterStarted_Throws(int count)
    {
        await ThrowsUnavailable(() => Begin(count, Started));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task ChoicesEvents_StreamsEndInMidAnswer_Throws(int count)
    {
        await using var choices = await Begin(count, Started, Delta);

        await ThrowsUnavailable(async () =>
        {
            await foreach (var _ in choices.Events(Cancellation))
            {
                // Only the end matters.
            }
        });
    }

    private static Task<Choices> Begin(int count, params TurnEvent[] events) => Choices.Begin(
        async (choice, cancellation) => ($"session_{choice}", await new EndedStream(events).ReadFirst(cancellation)),
        count,
        Cancellation);

    private static AnswerReader Reader() => new(AnswerMarkup.None, new GenerationSettings(), "turn_1");

    private static async Task ThrowsUnavailable(Func<Task> read)
    {
        var error = await Assert.ThrowsAsync<HerdException>(read);
        Assert.Equal(HerdError.Unavailable, error.Error);
        Assert.Contains("ended without a result", error.Message, StringComparison.Ordinal);
    }

    /// <summary>
    /// A stream of a few events. A second read after its end fails the test, which would not end otherwise.
    /// </summary>
    private sealed class EndedStream(params TurnEvent[] events)
        : IAsyncEnumerable<TurnEvent>, IAsyncEnumerator<TurnEvent>
    {
        private int _at = -1;

        public bool IsDisposed { get; private set; }

        public TurnEvent Current => events[Math.Min(_at, events.Length - 1)];

        public IAsyncEnumerator<TurnEvent> GetAsyncEnumerator(CancellationToken cancellationToken = default) => this;

        public ValueTask<bool> MoveNextAsync() => ++_at <= events.Length
            ? ValueTask.FromResult(_at < events.Length)
            : throw new InvalidOperationException("The stream was read after its end.");

        public ValueTask DisposeAsync()
        {
            IsDisposed = true;
            return ValueTask.CompletedTask;
        }
    }
}
