using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Herd.Contracts.Conversations;

namespace Herd.Grains.Conversations.Turns.Events;

/// <summary>
/// Reads a turn's events. A conversation in this process, the usual case, writes them to a channel here; one in another
/// process sends them in messages.
/// </summary>
public sealed class TurnEventReader(LocalEventChannels channels)
{
    public async IAsyncEnumerable<TurnEvent> Read(
        IConversationGrain conversation, TurnRequest request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var events = TurnEvents.Open();
        var channel = channels.Add(events.Writer);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var call = Call(conversation, request with { EventChannel = channel }, events.Writer, over.Token);
        try
        {
            await foreach (var update in events.Reader.ReadAllAsync(cancellation))
            {
                yield return update;
            }
        }
        finally
        {
            over.Cancel();
            await call;
            channels.Remove(channel);
        }
    }

    /// <summary>Reads messages into the channel. The channel ends as the call ends.</summary>
    private static async Task Call(
        IConversationGrain conversation,
        TurnRequest request,
        ChannelWriter<TurnEvent> events,
        CancellationToken cancellation)
    {
        try
        {
            await foreach (var update in conversation.Converse(request, cancellation))
            {
                await events.WriteAsync(update, cancellation);
            }

            events.Complete();
        }
        catch (Exception e)
        {
            events.Complete(e);
        }
    }
}
