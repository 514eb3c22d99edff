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

    /// <summary>Replaces what its owner notes of it.</summary>
    [Alias("Note")]
    Task<Conversation> UpdateMetadata(IReadOnlyDictionary<string, string> metadata, CancellationToken cancellation);

    /// <summary>
    /// Begins a new conversation with what was said in this one. It begins where this one's KV cache is, and shares it.
    /// </summary>
    /// <param name="id">The new conversation's id, which nobody has used.</param>
    /// <param name="lastTurn">The last turn that it takes over, answered or cancelled; null means the last such one.</param>
    /// <param name="cancellation">Gives up.</param>
    [Alias("Fork")]
    Task<Conversation> Fork(string id, string? lastTurn, CancellationToken cancellation);

    /// <summary>Becomes a copy, if it is nothing yet. For <see cref="Fork"/>.</summary>
    [Alias("Adopt")]
    Task<Conversation> Adopt(Conversation copy, CancellationToken cancellation);

    /// <summary>Takes a turn, or delivers again one that was taken. The last event is the completed turn.</summary>
    [Alias("Converse")]
    IAsyncEnumerable<TurnEvent> Converse(TurnRequest request, CancellationToken cancellation);

    /// <summary>The conversation as it is stored.</summary>
    [Alias("Read")]
    Task<Conversation> Read(CancellationToken cancellation);

    /// <summary>
    /// Moves the conversation's KV cache off a node, at rest: copied while the node owns it, then the epoch rises, then it is
    /// freed there. Nothing happens when a turn is being answered, which moves by itself, or when its home is another.
    /// </summary>
    /// <param name="home">The node it is to leave.</param>
    /// <param name="target">Where it is to go; null lets the router choose.</param>
    /// <param name="reason">Why.</param>
    /// <param name="cancellation">Gives up; then it stays where it is.</param>
    /// <returns>The decision, and how it went; null when nothing was to do, or no other node takes it.</returns>
    [Alias("Move")]
    Task<Placements.PlacementDecision?> Move(
        string home, string? target, Placements.PlacementReason reason, CancellationToken cancellation);

    /// <summary>Ends the answer of a turn, if it is in the making; what was produced of it is kept.</summary>
    /// <returns>The turn, as it is then.</returns>
    [Alias("Cancel")]
    Task<Turn> Cancel(string turn, CancellationToken cancellation);

    /// <summary>
    /// Deletes a turn. While later ones build on it, it stays as what the model is shown, and is told to nobody; with the last
    /// turn the conversation goes.
    /// </summary>
    [Alias("DeleteTurn")]
    Task DeleteTurn(string turn, CancellationToken cancellation);

    /// <summary>Deletes the conversation, after cancelling a turn in progress.</summary>
    [Alias("Delete")]
    Task Delete(CancellationToken cancellation);
}
