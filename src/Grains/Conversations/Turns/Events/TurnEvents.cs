using System.Threading.Channels;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;

namespace Herd.Grains.Conversations.Turns.Events;

/// <summary>
/// The events of a turn that its caller has not read yet. Their number is bounded: if the caller reads too slowly, the
/// turn ends with the answer so far, and can be resumed.
/// </summary>
internal sealed class TurnEvents
{
    /// <summary>Unread events: at 20 ms an event, 20 s and more of an answer. The connection buffers more.</summary>
    public const int MaxUnread = 1024;

    private readonly Channel<TurnEvent> _sent = Open();
    private readonly ChannelWriter<TurnEvent> _writer;
    private int _computed;

    /// <param name="local">The channel of a caller in this process; null if the events are sent in messages.</param>
    public TurnEvents(ChannelWriter<TurnEvent>? local = null) => _writer = local ?? _sent.Writer;

    /// <summary>The events that are sent in messages.</summary>
    public ChannelReader<TurnEvent> Sent => _sent.Reader;

    public static Channel<TurnEvent> Open() => Channel.CreateBounded<TurnEvent>(MaxUnread);

    /// <summary>Adds tokens that were computed for the turn. The next event has them.</summary>
    public void AddComputed(int tokens) => _computed += tokens;

    /// <exception cref="HerdException">Too many events are unread.</exception>
    public void Write(TurnEvent update)
    {
        if (_computed > 0)
        {
            update = update with { Computed = _computed };
            _computed = 0;
        }

        if (!_writer.TryWrite(update))
        {
            throw new HerdException(
                HerdError.ReadTooSlowly,
                $"The answer was read too slowly: {MaxUnread} events of it are unread. The answer so far is stored; " +
                "send the turn again with its id to resume it.")
                .With("unread_messages", MaxUnread);
        }
    }

    public void End() => _sent.Writer.TryComplete();
}
