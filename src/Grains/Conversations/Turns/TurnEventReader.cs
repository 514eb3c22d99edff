using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Herd.Contracts.Conversations;

namespace Herd.Grains.Conversations.Turns;

/// <summary>
/// Reads a turn's events. A conversation of this process, which is the rule, writes them where they are read; those of another's
/// come in messages.
/// </summary>
public static class TurnEventReader
{
    public static async IAsyncEnumerable<TurnEvent> Read(
        IConversationGrain conversation, TurnRequest request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var events = TurnEvents.Open();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var call = Call(conversation, request with { Local = events.Writer }, events.Writer, over.Token);
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
        }
    }

    /// <summary>How the call ends is how the events end.</summary>
    private static async Task Call(
        IConversationGrain conversation, TurnRequest request, ChannelWriter<TurnEvent> events, CancellationToken cancellation)
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
