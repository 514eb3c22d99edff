using Herd.Contracts.Conversations;
using Herd.Grains.Conversations.Storage;
using StackExchange.Redis;

namespace Herd.Grains.Tests.Conversations.Storage;

/// <summary>A store in memory, which can be made to fail.</summary>
internal sealed class MemoryConversationStore : IConversationStore
{
    public StoredConversation? Stored { get; set; }

    /// <summary>The id of the last writer.</summary>
    public string Owner { get; set; } = "";

    /// <summary>True if the store does not respond.</summary>
    public bool IsAway { get; set; }

    /// <summary>The number of writes, failed ones included.</summary>
    public int Writes { get; private set; }

    /// <summary>Waited for before a write is stored.</summary>
    public Task WriteDelay { get; set; } = Task.CompletedTask;

    public Task<StoredConversation?> Read(string tenant, string id, CancellationToken cancellation) =>
        Task.FromResult(Stored);

    public Task<LastWrite?> ReadLastWrite(string tenant, string id, CancellationToken cancellation) =>
        IsAway ? throw Away() : Task.FromResult(Stored is { } stored ? new LastWrite(stored.Revision, Owner) : null);

    public async Task<StoredConversation> Write(
        string tenant,
        StoredConversation? expected,
        Conversation conversation,
        int firstTurn,
        string owner,
        bool isAccepted = false)
    {
        Writes++;
        if (IsAway)
        {
            throw Away();
        }

        await WriteDelay;
        if (expected?.Revision != Stored?.Revision)
        {
            throw new ConversationConflictException(conversation.Id);
        }

        Owner = owner;
        Stored = new StoredConversation(conversation, (Stored?.Revision ?? 0) + 1);
        return Stored;
    }

    public Task<bool> TryReserve(string tenant, string id, int limit) => Task.FromResult(Stored is null);

    public Task Delete(string tenant, string id)
    {
        Stored = null;
        return Task.CompletedTask;
    }

    public Task<ConversationPage> List(string tenant, int size, string? after) => throw new NotSupportedException();

    private static RedisConnectionException Away() =>
        new(ConnectionFailureType.SocketClosed, CommandFlags.None, "away");
}
