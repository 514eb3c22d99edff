using Herd.Contracts.Conversations;
using Herd.Grains.Conversations.Storage;
using StackExchange.Redis;

namespace Herd.Simulator.Faults;

/// <summary>A store that is absent at times. Some writes are stored although the writer gets an error.</summary>
internal sealed class FaultyStore(FaultWorld world) : IConversationStore
{
    public const string Name = "store";
    private const int SlowestMilliseconds = 10;
    private const int WritesForOneUntold = 40;

    private readonly Dictionary<string, (StoredConversation Stored, string Owner)> _conversations = [];

    private readonly Dictionary<(string Conversation, long Epoch), string?> _homes = [];

    public bool IsAway
    {
        get;
        set
        {
            field = value;
            LastAway = world.Time.GetUtcNow();
        }
    }

    /// <summary>The time at which the store last became absent or present.</summary>
    public DateTimeOffset LastAway { get; private set; }

    /// <summary>The stored conversations, also while the store is absent.</summary>
    public Conversation? Find(string id) =>
        _conversations.TryGetValue(id, out var kept) ? kept.Stored.Conversation : null;

    /// <summary>The homes of a conversation since an epoch.</summary>
    public IEnumerable<string> Homes(string conversation, long since) =>
        _homes.Where(home => home.Key.Conversation == conversation && home.Key.Epoch >= since)
            .Select(home => home.Value).OfType<string>();

    public Task<StoredConversation?> Read(string tenant, string id, CancellationToken cancellation) =>
        IsAway
            ? throw Away()
            : Task.FromResult(_conversations.TryGetValue(id, out var kept) ? kept.Stored : null);

    public Task<LastWrite?> ReadLastWrite(string tenant, string id, CancellationToken cancellation) =>
        IsAway
            ? throw Away()
            : Task.FromResult(_conversations.TryGetValue(id, out var kept)
                ? new LastWrite(kept.Stored.Revision, kept.Owner)
                : null);

    public async Task<StoredConversation> Write(
        string tenant,
        StoredConversation? expected,
        Conversation conversation,
        int firstTurn,
        string owner,
        bool isAccepted = false)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(world.Random.Next(SlowestMilliseconds)), world.Time);
        if (IsAway)
        {
            throw Away();
        }

        var (before, last) = _conversations.GetValueOrDefault(conversation.Id);
        if (last != owner && expected?.Revision != before?.Revision)
        {
            throw new ConversationConflictException(conversation.Id);
        }

        world.Require(
            conversation.Epoch >= (before?.Conversation.Epoch ?? 0), "an older epoch is stored over a newer one");
        var lease = (conversation.Id, conversation.Epoch);
        var home = _homes.TryAdd(lease, conversation.Home) ? conversation.Home : _homes[lease];
        world.Require(
            home == conversation.Home,
            $"{conversation.Id} is stored at {home} and {conversation.Home} under the same epoch {conversation.Epoch}");
        var stored = new StoredConversation(conversation, (before?.Revision ?? 0) + 1);
        _conversations[conversation.Id] = (stored, owner);
        return world.Cluster.IsFaulty && world.Random.Next(WritesForOneUntold) == 0 ? throw Away() : stored;
    }

    public Task<bool> TryReserve(string tenant, string id, int limit) => throw new NotSupportedException();

    public Task Delete(string tenant, string id) => throw new NotSupportedException();

    public Task<ConversationPage> List(string tenant, int size, string? after) => throw new NotSupportedException();

    public static RedisConnectionException Away() =>
        new(ConnectionFailureType.SocketClosed, CommandFlags.None, "away");
}
