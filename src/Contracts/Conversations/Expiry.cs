namespace Herd.Contracts.Conversations;

/// <summary>The result of <see cref="IConversationGrain.DeleteIfUnused"/>.</summary>
/// <param name="IsDeleted">True if the call deleted the conversation.</param>
/// <param name="LastUse">The time of its last use, if it stays; null if there is no such conversation.</param>
[GenerateSerializer, Immutable, Alias("herd.Expiry")]
public sealed record Expiry([property: Id(0)] bool IsDeleted, [property: Id(1)] DateTimeOffset? LastUse);
