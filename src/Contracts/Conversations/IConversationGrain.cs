namespace Herd.Contracts.Conversations;

/// <summary>
/// One conversation: its durable transcript, the order of its turns, its home node and epoch. Keyed by
/// <see cref="GrainKey.Conversation"/>; activated on gateways. Fails with <see cref="Errors.HerdException"/>.
/// </summary>
[Alias("herd.IConversationGrain")]
public interface IConversationGrain : IGrainWithStringKey
{
    /// <summary>Creates the conversation.</summary>
    [Alias("Create")]
    Task<Conversation> Create(string? model, string? system, CancellationToken cancellation);

    /// <summary>Replaces the metadata that the tenant attached.</summary>
    [Alias("Note")]
    Task<Conversation> UpdateMetadata(IReadOnlyDictionary<string, string> metadata, CancellationToken cancellation);

    /// <summary>
    /// Creates a new conversation with the turns of this one. Its home is this one's home, where it shares the KV
    /// cache.
    /// </summary>
    /// <param name="id">The new conversation's id. No conversation may have it.</param>
    /// <param name="lastTurn">The last turn to copy, answered or cancelled; null means the last such turn.</param>
    /// <param name="cancellation">Ends the call.</param>
    [Alias("Fork")]
    Task<Conversation> Fork(string id, string? lastTurn, CancellationToken cancellation);

    /// <summary>Stores a copy, unless the conversation exists. For <see cref="Fork"/>.</summary>
    [Alias("Adopt")]
    Task<Conversation> Adopt(Conversation copy, CancellationToken cancellation);

    /// <summary>Accepts a turn, or delivers an accepted one again. The last event is the completed turn.</summary>
    [Alias("Converse")]
    IAsyncEnumerable<TurnEvent> Converse(TurnRequest request, CancellationToken cancellation);

    /// <summary>The conversation as it is stored.</summary>
    [Alias("Read")]
    Task<Conversation> Read(CancellationToken cancellation);

    /// <summary>
    /// Migrates the conversation's KV cache from its home to another node while no turn runs: copies it, raises the
    /// epoch, then frees it at the old home. Fails while a turn runs: a drain continues that one elsewhere. Does
    /// nothing if the home is another.
    /// </summary>
    /// <param name="home">The expected home.</param>
    /// <param name="target">The node to migrate to; null lets the router choose.</param>
    /// <param name="reason">The reason, for the stored decision.</param>
    /// <param name="cancellation">Ends the call; the session stays at its home.</param>
    /// <returns>The decision with its result; null if the session stays at its home.</returns>
    [Alias("Move")]
    Task<Placements.PlacementDecision?> Migrate(
        string home, string? target, Placements.PlacementReason reason, CancellationToken cancellation);

    /// <summary>Ends the answer of a turn if it is being generated; the answer so far is stored.</summary>
    /// <returns>The turn as it is stored afterwards.</returns>
    [Alias("Cancel")]
    Task<Turn> Cancel(string turn, CancellationToken cancellation);

    /// <summary>
    /// Deletes a turn. If later turns follow it, it stays in the prompts of those, but is no longer listed. The
    /// conversation is deleted with its last turn.
    /// </summary>
    [Alias("DeleteTurn")]
    Task DeleteTurn(string turn, CancellationToken cancellation);

    /// <summary>Deletes the conversation, after cancelling a turn in progress.</summary>
    [Alias("Delete")]
    Task Delete(CancellationToken cancellation);

    /// <summary>
    /// Deletes the conversation if it was created, and its last turn was taken, before a time. Fails while it is
    /// answered.
    /// </summary>
    [Alias("DeleteIfUnused")]
    Task<Expiry> DeleteIfUnused(DateTimeOffset since, CancellationToken cancellation);
}
