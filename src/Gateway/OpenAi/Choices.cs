using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Herd.Contracts.Conversations;

namespace Herd.Gateway.OpenAi;

/// <summary>
/// The answers to one request, each a turn in a lane of its own. On their node they share what the first computes of the prompt.
/// </summary>
internal sealed class Choices : IAsyncDisposable
{
    public const int Most = 8;

    /// <summary>Events that wait for a slow client; then the answers wait.</summary>
    private const int MostWaiting = 64;

    private readonly IReadOnlyList<IAsyncEnumerator<TurnEvent>> _answers;
    private readonly CancellationTokenSource _over = new();
    private Task _reading = Task.CompletedTask;

    private Choices(string session, string node, IReadOnlyList<IAsyncEnumerator<TurnEvent>> answers)
    {
        (Session, Node) = (session, node);
        _answers = answers;
    }

    /// <summary>The first one's session.</summary>
    public string Session { get; }

    /// <summary>The first one's node.</summary>
    public string Node { get; }

    public int Count => _answers.Count;

    /// <summary>Begins them, and waits until each has begun to answer, so that what fails until then is told by its status.</summary>
    /// <param name="begin">Begins the choice of that number: its session, and its events from the first on.</param>
    /// <param name="count">How many.</param>
    public static async Task<Choices> Begin(Func<int, Task<(string Session, IAsyncEnumerator<TurnEvent> Events)>> begin, int count)
    {
        var (session, node) = ("", "");
        var answers = new List<IAsyncEnumerator<TurnEvent>>();
        try
        {
            for (var choice = 0; choice < count; choice++)
            {
                var (lane, events) = await begin(choice);
                answers.Add(events);
                while (events.Current.Started is { } started)
                {
                    (session, node) = choice == 0 ? (lane, started.Node) : (session, node);
                    await events.MoveNextAsync();
                }
            }

            return new Choices(session, node, answers);
        }
        catch
        {
            await Task.WhenAll(answers.Select(answer => answer.DisposeAsync().AsTask()));
            throw;
        }
    }

    /// <summary>What comes of them, as it comes; each ends with its completed turn.</summary>
    public async IAsyncEnumerable<(int Choice, TurnEvent Event)> Events([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        if (_answers is [var only])
        {
            yield return (0, only.Current);
            while (only.Current.Completed is null)
            {
                await only.MoveNextAsync();
                yield return (0, only.Current);
            }

            yield break;
        }

        var merged = Channel.CreateBounded<(int, TurnEvent)>(MostWaiting);
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
                for (; ; await answer.MoveNextAsync())
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
