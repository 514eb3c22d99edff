using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Herd.Contracts.Conversations;
using Herd.Gateway.Conversations;

namespace Herd.Gateway.OpenAi;

/// <summary>
/// The answers to one request. Each is a turn in a shard of its own. The first answer starts alone: it computes the KV
/// cache of the prompt, and its node shares that with the others.
/// </summary>
internal sealed class Choices : IAsyncDisposable
{
    public const int Max = 8;

    /// <summary>The number of events that wait for a slow client. Reading stops when there are more.</summary>
    private const int MaxWaiting = 64;

    private readonly IReadOnlyList<IAsyncEnumerator<TurnEvent>> _answers;
    private readonly CancellationTokenSource _over;
    private Task _reading = Task.CompletedTask;

    private Choices(
        string session, string node, IReadOnlyList<IAsyncEnumerator<TurnEvent>> answers, CancellationTokenSource over)
    {
        (Session, Node) = (session, node);
        (_answers, _over) = (answers, over);
    }

    /// <summary>The session of the first answer.</summary>
    public string Session { get; }

    /// <summary>The node of the first answer.</summary>
    public string Node { get; }

    public int Count => _answers.Count;

    /// <summary>
    /// Begins the first answer, then all others at the same time. Waits for the first part of each, so that a failure
    /// before it becomes the response's status.
    /// </summary>
    /// <param name="begin">Begins the turn of a choice. Returns its session and its events; the first was read.</param>
    /// <param name="count">The number of answers, from 1.</param>
    /// <param name="cancellation">Cancels all answers.</param>
    public static async Task<Choices> Begin(
        Func<int, CancellationToken, Task<(string Session, IAsyncEnumerator<TurnEvent> Events)>> begin,
        int count,
        CancellationToken cancellation)
    {
        var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var begun = new List<Task<(string Session, string Node, IAsyncEnumerator<TurnEvent> Events)>> { BeginOne(0) };
        try
        {
            var (session, node, _) = await begun[0];
            begun.AddRange(Enumerable.Range(1, count - 1).Select(BeginOne));
            await foreach (var choice in Task.WhenEach(begun))
            {
                await choice;
            }

            return new Choices(session, node, [.. (await Task.WhenAll(begun)).Select(choice => choice.Events)], over);
        }
        catch
        {
            await over.CancelAsync();
            foreach (var choice in begun)
            {
                await ((Task)choice).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (choice.IsCompletedSuccessfully)
                {
                    await (await choice).Events.DisposeAsync();
                }
            }

            over.Dispose();
            throw;
        }

        async Task<(string Session, string Node, IAsyncEnumerator<TurnEvent> Events)> BeginOne(int choice)
        {
            var (session, events) = await begin(choice, over.Token);
            return (session, await events.SkipStarted(), events);
        }
    }

    /// <summary>
    /// The events of all answers, as they arrive. The last event of each answer has its completed turn.
    /// </summary>
    public async IAsyncEnumerable<(int Choice, TurnEvent Event)> Events(
        [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        if (_answers is [var only])
        {
            yield return (0, only.Current);
            while (only.Current.Completed is null)
            {
                await only.ReadNext();
                yield return (0, only.Current);
            }

            yield break;
        }

        var merged = Channel.CreateBounded<(int, TurnEvent)>(MaxWaiting);
        _reading = Read(merged.Writer);
        await foreach (var update in merged.Reader.ReadAllAsync(cancellation))
        {
            yield return update;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _reading;
        await Task.WhenAll(_answers.Select(answer => answer.DisposeAsync().AsTask()));
        _over.Dispose();
    }

    private async Task Read(ChannelWriter<(int, TurnEvent)> merged)
    {
        try
        {
            await Task.WhenAll(_answers.Select(async (answer, choice) =>
            {
                for (; ; await answer.ReadNext())
                {
                    await merged.WriteAsync((choice, answer.Current), _over.Token);
                    if (answer.Current.Completed is not null)
                    {
                        return;
                    }
                }
            }));
            merged.Complete();
        }
        catch (Exception e)
        {
            merged.Complete(e);
        }
    }
}
