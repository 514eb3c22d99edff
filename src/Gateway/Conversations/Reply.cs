using System.Runtime.CompilerServices;
using Herd.Contracts.Conversations;
using Herd.Gateway.Answers;

namespace Herd.Gateway.Conversations;

/// <summary>One answer, read as it arrives and split into thoughts, text and calls.</summary>
internal sealed class Reply : IAsyncDisposable
{
    private readonly IAsyncEnumerator<TurnEvent> _events;
    private readonly AnswerReader _reader;

    private Reply(string session, string node, IAsyncEnumerator<TurnEvent> events, AnswerReader reader) =>
        (Session, Node, _events, _reader) = (session, node, events, reader);

    public string Session { get; }

    /// <summary>The node that started the turn.</summary>
    public string Node { get; }

    /// <summary>True if the parts read so far have a call.</summary>
    public bool HasCalled => _reader.HasCalled;

    /// <summary>The completed turn. Available after all parts were read.</summary>
    public Turn Turn =>
        _events.Current.Completed ?? throw new InvalidOperationException(
            "The answer is incomplete. Read all parts first.");

    /// <summary>Waits for the first part of the answer. A failure before it becomes the response's status.</summary>
    /// <param name="session">The session.</param>
    /// <param name="events">The turn's events. The first one was read.</param>
    /// <param name="reader">Splits the answer into parts.</param>
    public static async Task<Reply> Begin(string session, IAsyncEnumerator<TurnEvent> events, AnswerReader reader) =>
        new(session, await events.SkipStarted(), events, reader);

    /// <summary>The answer's parts, as they arrive.</summary>
    public async IAsyncEnumerable<AnswerPart> Parts([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        for (; _events.Current.Completed is null; await _events.ReadNext())
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

    /// <summary>The complete answer. Adjacent parts of the same kind are joined.</summary>
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
