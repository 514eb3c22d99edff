using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;

namespace Herd.Gateway.Conversations;

/// <summary>Reads a turn's events one by one. A stream that ends before its result is an error.</summary>
internal static class TurnEventStream
{
    /// <summary>Moves to the next event.</summary>
    /// <exception cref="HerdException">Unavailable: the stream ended without a result.</exception>
    public static async Task ReadNext(this IAsyncEnumerator<TurnEvent> events)
    {
        if (!await events.MoveNextAsync())
        {
            throw new HerdException(
                HerdError.Unavailable,
                "The conversation's stream ended without a result. Send the request again with its turn id.");
        }
    }

    /// <summary>Moves to the first event. Disposes the stream if that fails.</summary>
    /// <exception cref="HerdException">The turn failed, or the stream is empty.</exception>
    public static async Task<IAsyncEnumerator<TurnEvent>> ReadFirst(
        this IAsyncEnumerable<TurnEvent> stream, CancellationToken cancellation)
    {
        var events = stream.GetAsyncEnumerator(cancellation);
        try
        {
            await events.ReadNext();
            return events;
        }
        catch
        {
            await events.DisposeAsync();
            throw;
        }
    }

    /// <summary>Moves past the events that say that the turn started. Disposes the stream if that fails.</summary>
    /// <param name="events">The turn's events. The first one was read.</param>
    /// <returns>The node that started the turn last; empty if the turn was complete before.</returns>
    /// <exception cref="HerdException">The turn failed, or the stream ended without a result.</exception>
    public static async Task<string> SkipStarted(this IAsyncEnumerator<TurnEvent> events)
    {
        try
        {
            var node = "";
            while (events.Current.Started is { } started)
            {
                node = started.Node;
                await events.ReadNext();
            }

            return node;
        }
        catch
        {
            await events.DisposeAsync();
            throw;
        }
    }
}
