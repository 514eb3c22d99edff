using System.Reflection;
using System.Runtime.CompilerServices;
using Herd.Contracts.Conversations;
using Herd.Grains.Conversations.Turns.Events;

namespace Herd.Grains.Tests.Conversations;

/// <summary>A conversation that answers by a script, in a process with these channels of callers.</summary>
public class FakeConversation : DispatchProxy
{
    private Func<TurnEvents, CancellationToken, Task> _script = null!;
    private LocalEventChannels _channels = null!;
    private Func<TurnRequest, Task>? _onRequest;

    /// <summary>The conversation, as callers see it.</summary>
    public IConversationGrain Grain => (IConversationGrain)(object)this;

    /// <summary>The number of events that were sent in messages.</summary>
    public int Messages { get; private set; }

    internal static FakeConversation New(
        Func<TurnEvents, CancellationToken, Task> script,
        LocalEventChannels channels,
        Func<TurnRequest, Task>? onRequest = null)
    {
        var conversation = (FakeConversation)(object)Create<IConversationGrain, FakeConversation>();
        (conversation._script, conversation._channels, conversation._onRequest) = (script, channels, onRequest);
        return conversation;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        Converse((TurnRequest)args![0]!, (CancellationToken)args[1]!);

    private async IAsyncEnumerable<TurnEvent> Converse(
        TurnRequest request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await (_onRequest?.Invoke(request) ?? Task.CompletedTask);
        var events = new TurnEvents(_channels.Find(request.EventChannel));
        var taken = Take(events, cancellation);
        try
        {
            await foreach (var update in events.Sent.ReadAllAsync(cancellation))
            {
                Messages++;
                yield return update;
            }

            await taken;
        }
        finally
        {
            await taken.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task Take(TurnEvents events, CancellationToken cancellation)
    {
        try
        {
            await _script(events, cancellation);
        }
        finally
        {
            events.End();
        }
    }
}
