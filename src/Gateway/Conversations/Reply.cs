using System.Runtime.CompilerServices;
using Herd.Contracts.Conversations;
using Herd.Gateway.Answers;

namespace Herd.Gateway.Conversations;

/// <summary>One answer, read for thoughts and calls as it comes.</summary>
internal sealed class Reply : IAsyncDisposable
{
    private readonly IAsyncEnumerator<TurnEvent> _events;
    private readonly AnswerReader _reader;

    private Reply(string session, string node, IAsyncEnumerator<TurnEvent> events, AnswerReader reader) =>
        (Session, Node, _events, _reader) = (session, node, events, reader);

    public string Session { get; }

    /// <summary>The node that began it.</summary>
    public string Node { get; }

    public bool HasCalled => _reader.HasCalled;

    /// <summary>The turn, once all parts were read.</summary>
    public Turn Turn => _events.Current.Completed ?? throw new InvalidOperationException("The answer is not over.");

    /// <summary>Waits until the answer has begun, so that what fails until then is told by its status.</summary>
    /// <param name="session">The session.</param>
    /// <param name="events">What comes of the turn, from the first event on.</param>
    /// <param name="reader">Reads it.</param>
    public static async Task<Reply> Begin(string session, IAsyncEnumerator<TurnEvent> events, AnswerReader reader)
    {
        try
        {
            var node = "";
            while (events.Current.Started is { } started)
            {
                node = started.Node;
                await events.MoveNextAsync();
            }

            return new Reply(session, node, events, reader);
        }
        catch
        {
            await events.DisposeAsync();
            throw;
        }
    }

    /// <summary>The answer's parts, as they come.</summary>
    public async IAsyncEnumerable<AnswerPart> Parts([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        for (; _events.Current.Completed is null; await _events.MoveNextAsync())
        {
            cancellation.ThrowIfCancellationRequested();
            foreach (var part in _reader.Append(_events.Current.Delta?.Text ?? ""))
            {
                yield return part;
            }
        }

        foreach (var part in _reader.End())
        {
            yield return part;
        }
    }

    /// <summary>All of it, once it is over; pieces of a kind that follow each other as one.</summary>
    public async Task<IReadOnlyList<AnswerPart>> Whole(CancellationToken cancellation)
    {
        var parts = new List<AnswerPart>();
        await foreach (var part in Parts(cancellation))
        {
            parts.Add(part);
        }

        return parts.Joined();
    }

    public ValueTask DisposeAsync() => _events.DisposeAsync();
}
