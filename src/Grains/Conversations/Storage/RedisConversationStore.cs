using System.Globalization;
using Herd.Contracts;
using Herd.Contracts.Conversations;
using StackExchange.Redis;

namespace Herd.Grains.Conversations.Storage;

/// <summary>
/// Conversations in Redis or Garnet. One hash a conversation, so that a turn costs a write of that turn only; a sorted set
/// a tenant for the list. docs/stored-state.md.
/// </summary>
internal sealed class RedisConversationStore(StoreConnection store) : IConversationStore
{
    private const string Head = "head";
    private const string Revision = "revision";
    private const string Owner = "owner";
    private static readonly TimeSpan CallerKeptFor = TimeSpan.FromDays(1);

    private IDatabase Database => store.Database;

    public async Task<StoredConversation?> Read(string tenant, string id, CancellationToken cancellation)
    {
        var fields = (await Database.HashGetAllAsync(Key(tenant, id)).WaitAsync(cancellation))
            .ToDictionary(field => field.Name.ToString(), field => field.Value);
        if (!fields.TryGetValue(Head, out var json))
        {
            return null;
        }

        var head = ConversationFormat.ReadHead(json!);
        var turns = Enumerable.Range(0, head.Turns).Select(i => ConversationFormat.ReadTurn(fields[TurnField(i)]!));
        return new StoredConversation(head.WithTurns([.. turns]), (long)fields[Revision]);
    }

    public Task<LastWrite?> ReadLastWrite(string tenant, string id, CancellationToken cancellation) =>
        ReadLastWrite(Key(tenant, id)).WaitAsync(cancellation);

    public async Task<StoredConversation> Write(
        string tenant, StoredConversation? expected, Conversation conversation, int firstTurn, ConversationKind kind, string owner)
    {
        var key = Key(tenant, conversation.Id);
        if (expected is null && kind == ConversationKind.Durable)
        {
            // Before the conversation itself: an entry without one is left out of lists, one without an entry would be lost.
            await Database.SortedSetAddAsync(Index(tenant), conversation.Id, conversation.Created.ToUnixTimeMilliseconds());
        }

        var stored = await TryWrite(key, expected, conversation, firstTurn, kind, owner)
            ?? await WriteAgain(key, expected, conversation, firstTurn, kind, owner)
            ?? throw new ConversationConflictException(conversation.Id);
        await store.Replicated();
        return stored;
    }

    private async Task<StoredConversation?> WriteAgain(
        RedisKey key, StoredConversation? expected, Conversation conversation, int firstTurn, ConversationKind kind, string owner)
    {
        // A write of which no answer came may have landed.
        var found = await ReadLastWrite(key);
        return found?.Owner == owner && expected is not null
            ? await TryWrite(key, expected with { Revision = found.Revision }, conversation, firstTurn, kind, owner)
            : null;
    }

    private async Task<LastWrite?> ReadLastWrite(RedisKey key)
    {
        var fields = await Database.HashGetAsync(key, [Revision, Owner]);
        return fields[0].HasValue ? new LastWrite((long)fields[0], fields[1].ToString()) : null;
    }

    /// <returns>Null when somebody has written since.</returns>
    private async Task<StoredConversation?> TryWrite(
        RedisKey key, StoredConversation? expected, Conversation conversation, int firstTurn, ConversationKind kind, string owner)
    {
        var revision = (expected?.Revision ?? 0) + 1;
        var write = Database.CreateTransaction();
        write.AddCondition(expected is null
            ? Condition.KeyNotExists(key)
            : Condition.HashEqual(key, Revision, expected.Revision));
        _ = write.HashSetAsync(key,
        [
            new HashEntry(Head, ConversationFormat.WriteHead(conversation)),
            new HashEntry(Revision, revision),
            new HashEntry(Owner, owner),
            .. conversation.Turns.Skip(firstTurn).Select((turn, i) =>
                new HashEntry(TurnField(firstTurn + i), ConversationFormat.WriteTurn(turn))),
        ]);

        for (var i = conversation.Turns.Count; i < expected?.Conversation.Turns.Count; i++)
        {
            _ = write.HashDeleteAsync(key, TurnField(i));
        }

        if (kind == ConversationKind.CallerKept)
        {
            _ = write.KeyExpireAsync(key, CallerKeptFor);
        }

        return await write.ExecuteAsync() ? new StoredConversation(conversation, revision) : null;
    }

    public async Task Delete(string tenant, string id)
    {
        await Database.KeyDeleteAsync(Key(tenant, id));
        await Database.SortedSetRemoveAsync(Index(tenant), id);
        await store.Replicated();
    }

    public Task<long> Count(string tenant) => Database.SortedSetLengthAsync(Index(tenant));

    public async Task<ConversationPage> List(string tenant, int size, string? after)
    {
        var cursor = after is null ? null : PageToken.Parse(after);
        var conversations = new List<Conversation>();
        while (true)
        {
            var entries = await Database.SortedSetRangeByScoreWithScoresAsync(
                Index(tenant),
                stop: cursor?.Score ?? double.PositiveInfinity,
                order: Order.Descending,
                skip: cursor?.Seen ?? 0,
                take: size + 1 - conversations.Count);
            if (entries.Length == 0)
            {
                return new ConversationPage(conversations, null);
            }

            var heads = await Task.WhenAll(entries.Select(entry => Database.HashGetAsync(Key(tenant, entry.Element!), Head)));
            for (var i = 0; i < entries.Length; i++)
            {
                if (conversations.Count == size)
                {
                    return new ConversationPage(conversations, cursor!.ToString());
                }

                if (heads[i].HasValue)
                {
                    conversations.Add(ConversationFormat.ReadHead(heads[i]!).WithTurns([]));
                }

                cursor = PageToken.After(cursor, entries[i].Score);
            }
        }
    }

    private static RedisKey Key(string tenant, string id) => $"herd:conversation:{GrainKey.Conversation(tenant, id)}";

    private static RedisKey Index(string tenant) => $"herd:conversations:{Uri.EscapeDataString(tenant)}";

    private static string TurnField(int turn) => string.Create(CultureInfo.InvariantCulture, $"turn:{turn}");
}
