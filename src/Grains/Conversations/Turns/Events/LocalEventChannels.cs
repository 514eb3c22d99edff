using System.Collections.Concurrent;
using System.Threading.Channels;
using Herd.Contracts.Conversations;

namespace Herd.Grains.Conversations.Turns.Events;

/// <summary>
/// The channels from which callers in this process read the events of their turns. A conversation in the same process
/// finds the caller's channel here and writes to it; one in another process finds none and sends messages.
/// docs/decisions/local-events.md.
/// </summary>
public sealed class LocalEventChannels
{
    private readonly ConcurrentDictionary<Guid, ChannelWriter<TurnEvent>> _channels = new();

    /// <returns>The id of the channel, unique in the cluster, for <see cref="TurnRequest.EventChannel"/>.</returns>
    internal Guid Add(ChannelWriter<TurnEvent> channel)
    {
        var id = Guid.NewGuid();
        _channels[id] = channel;
        return id;
    }

    /// <summary>The channel of a caller in this process; null if the caller is in another process.</summary>
    internal ChannelWriter<TurnEvent>? Find(Guid? id) =>
        id is { } known && _channels.TryGetValue(known, out var channel) ? channel : null;

    internal void Remove(Guid id) => _channels.TryRemove(id, out _);
}
