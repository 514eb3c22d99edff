using System.Threading.Channels;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;

namespace Herd.Grains.Conversations;

/// <summary>
/// What the caller has still to read of its turn. One who reads too slowly is not waited for and holds no memory: the turn ends with
/// what it has, and can be gone on with.
/// </summary>
internal sealed class TurnEvents
{
    /// <summary>At 20 ms a message, 20 s and more of an answer, beside what the connection holds.</summary>
    public const int Most = 1024;

    private readonly Channel<TurnEvent> _events = Channel.CreateBounded<TurnEvent>(Most);

    public ChannelReader<TurnEvent> Reader => _events.Reader;

    /// <exception cref="HerdException">The caller has left too much unread.</exception>
    public void Write(TurnEvent update)
    {
        if (!_events.Writer.TryWrite(update))
        {
            throw new HerdException(
                HerdError.ReadTooSlowly,
                $"The answer was read too slowly: {Most} messages of it wait. What was produced is kept; take the turn again with its id to go on with it.")
                .With("unread_messages", Most);
        }
    }

    public void End() => _events.Writer.TryComplete();
}
