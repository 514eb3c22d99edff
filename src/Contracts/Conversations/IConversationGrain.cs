namespace Herd.Contracts.Conversations;

/// <summary>
/// One conversation: its durable transcript, the order of its turns, its home node and epoch. Keyed by
/// <see cref="GrainKey.Conversation"/>; lives on gateways. Fails with <see cref="Errors.HerdException"/>.
/// </summary>
[Alias("herd.IConversationGrain")]
public interface IConversationGrain : IGrainWithStringKey
{
    /// <summary>Creates the conversation.</summary>
    [Alias("Create")]
    Task<Conversation> Create(string? model, string? system, CancellationToken cancellation);

    /// <summary>Takes a turn, or delivers again one that was taken. The last event is the completed turn.</summary>
    [Alias("Converse")]
    IAsyncEnumerable<TurnEvent> Converse(TurnRequest request, CancellationToken cancellation);

    /// <summary>The conversation as it is stored.</summary>
    [Alias("Read")]
    Task<Conversation> Read(CancellationToken cancellation);

    /// <summary>Deletes the conversation, after cancelling a turn in progress.</summary>
    [Alias("Delete")]
    Task Delete(CancellationToken cancellation);
}
