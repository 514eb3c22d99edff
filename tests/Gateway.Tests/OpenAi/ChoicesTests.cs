using System.Collections.Concurrent;
using System.Threading.Channels;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Conversations;
using Herd.Gateway.OpenAi;

namespace Herd.Gateway.Tests.OpenAi;

public sealed class ChoicesTests
{
    private const int Count = 4;

    private readonly ConcurrentQueue<int> _begun = new();
    private readonly ConcurrentQueue<int> _ended = new();
    private readonly Channel<TurnEvent>[] _turns =
        [.. Enumerable.Range(0, Count).Select(_ => Channel.CreateUnbounded<TurnEvent>())];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Begin_FirstAnswerHasNoToken_OthersWait()
    {
        var choices = Begin();
        Start(0);

        Assert.Equal([0], _begun);
        Assert.False(choices.IsCompleted);

        await End(choices);
    }

    [Fact]
    public async Task Begin_FirstAnswerHasAToken_AllOthersBeginWithoutWaitingForEachOther()
    {
        var choices = Begin();
        Start(0);
        Answer(0);

        // No other answer has an event yet. In a chain, only the second one would begin.
        await Until(() => _begun.Count == Count);
        Assert.Equal(Enumerable.Range(0, Count), _begun);
        Assert.False(choices.IsCompleted);

        await End(choices);
    }

    [Fact]
    public async Task Begin_AnAnswerFails_ThrowsItsErrorAndCancelsTheOthers()
    {
        var choices = Begin();
        Start(0);
        Answer(0);
        await Until(() => _begun.Count == Count);
        _turns[Count - 1].Writer.Complete(new HerdException(HerdError.Overloaded, "Full."));

        var error = await Assert.ThrowsAsync<HerdException>(() => choices);

        Assert.Equal(HerdError.Overloaded, error.Error);
        Assert.Equal(Enumerable.Range(0, Count), _ended.Order());
    }

    [Fact]
    public async Task Begin_AllAnswersBegin_SessionAndNodeAreTheFirstOnes()
    {
        await using var choices = await End(Begin());

        Assert.Equal(("session_0", "node_0"), (choices.Session, choices.Node));
    }

    private Task<Choices> Begin() => Choices.Begin(
        async (choice, cancellation) =>
        {
            _begun.Enqueue(choice);
            return ($"session_{choice}", await Turn(choice, cancellation).ReadFirst(cancellation));
        },
        Count,
        Cancellation);

    private async IAsyncEnumerable<TurnEvent> Turn(
        int choice, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        try
        {
            await foreach (var update in _turns[choice].Reader.ReadAllAsync(cancellation))
            {
                yield return update;
            }
        }
        finally
        {
            _ended.Enqueue(choice);
        }
    }

    private void Start(int choice) => _turns[choice].Writer.TryWrite(
        new TurnEvent { Started = new TurnStarted($"turn_{choice}", "model", $"node_{choice}") });

    private void Answer(int choice) =>
        _turns[choice].Writer.TryWrite(new TurnEvent { Delta = new AnswerDelta("a", 1) });

    private async Task<Choices> End(Task<Choices> choices)
    {
        for (var choice = 0; choice < Count; choice++)
        {
            Start(choice);
            Answer(choice);
        }

        return await choices;
    }

    private static async Task Until(Func<bool> condition)
    {
        while (!condition())
        {
            Cancellation.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
