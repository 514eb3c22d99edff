using System.Threading.Channels;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;

namespace Herd.Grains.Conversations.Turns;

/// <summary>
/// What the caller has still to read of its turn. One who reads too slowly is not waited for and holds no memory: the turn ends with
/// what it has, and can be gone on with.
/// </summary>
internal sealed class TurnEvents
{
    /// <summary>At 20 ms a message, 20 s and more of an answer, beside what the connection holds.</summary>
    public const int Most = 1024;

    private readonly Channel<TurnEvent> _sent = Open();
    private readonly ChannelWriter<TurnEvent> _writer;

    /// <param name="local">Where a caller in this process reads them; null when they are to be sent.</param>
    public TurnEvents(ChannelWriter<TurnEvent>? local = null) => _writer = local ?? _sent.Writer;

    /// <summary>Those that are to be sent.</summary>
    public ChannelReader<TurnEvent> Sent => _sent.Reader;

    public static Channel<TurnEvent> Open() => Channel.CreateBounded<TurnEvent>(Most);

    /// <exception cref="HerdException">The caller has left too much unread.</exception>
    public void Write(TurnEvent update)
    {
        if (!_writer.TryWrite(update))
        {
            throw new HerdException(
                HerdError.ReadTooSlowly,
                $"The answer was read too slowly: {Most} messages of it wait. What was produced is kept; take the turn again with its id to go on with it.")
                .With("unread_messages", Most);
        }
    }

    public void End() => _sent.Writer.TryComplete();
}
