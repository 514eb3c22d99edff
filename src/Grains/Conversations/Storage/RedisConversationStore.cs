using System.Globalization;
using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Grains.Conversations.Deletions;
using StackExchange.Redis;

namespace Herd.Grains.Conversations.Storage;

/// <summary>
/// Conversations in Redis or Garnet: a hash for each conversation, so that a turn costs one write of that turn; a
/// sorted set for the list of each tenant. docs/stored-state.md.
/// </summary>
internal sealed class RedisConversationStore(StoreConnection store, TimeProvider time) : IConversationStore
{
    private const string Head = "head";
    private const string Revision = "revision";
    private const string Owner = "owner";
    private const string TurnPrefix = "turn:";
    private static readonly TimeSpan CallerKeptExpiry = TimeSpan.FromDays(1);

    /// <summary>
    /// Writes fields if the revision is the expected one, 0 for none. Arguments: that revision; seconds until the hash
    /// expires, 0 for never; the first turn to remove, and the one after the last; then names and values. Keys: the
    /// hash; also the list of deletions if turns are deleted.
    /// </summary>
    /// <remarks>
    /// One HSET writes all fields, because Garnet logs a script's commands one by one, and a server that is killed must
    /// have all of them or none. At most 4000 values fit on Lua's stack: an imported conversation with thousands of
    /// turns takes several HSETs, the head in the last one.
    /// </remarks>
    private const string WriteScript = $$"""
        if (redis.call('HGET', KEYS[1], '{{Revision}}') or '0') ~= ARGV[1] then return 0 end
        if #KEYS == 2 then {{RedisDeletionLog.RecordScript}} end
        for i = 5, #ARGV, 4000 do redis.call('HSET', KEYS[1], unpack(ARGV, i, math.min(i + 3999, #ARGV))) end
        for turn = tonumber(ARGV[3]), tonumber(ARGV[4]) - 1 do redis.call('HDEL', KEYS[1], '{{TurnPrefix}}' .. turn) end
        if ARGV[2] ~= '0' then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
        return 1
        """;

    /// <summary>
    /// Reserves a place unless all are taken: listed conversations and reservations count. Keys: the list, the
    /// reservations. Arguments: the id; the limit; the time; the time before which reservations no longer count.
    /// </summary>
    private const string ReserveScript = """
        redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[4])
        if redis.call('ZSCORE', KEYS[1], ARGV[1]) or redis.call('ZSCORE', KEYS[2], ARGV[1]) then return 1 end
        if redis.call('ZCARD', KEYS[1]) + redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[2]) then return 0 end
        redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
        return 1
        """;

    /// <summary>
    /// Moves a conversation from the reservations to the list, so that it counts once. Keys as of
    /// <see cref="ReserveScript"/>, and <see cref="RedisRetentionIndex"/>. Arguments: the id; the time of its creation;
    /// its entry in that index.
    /// </summary>
    private const string EnterScript = """
        redis.call('ZADD', KEYS[3], ARGV[2], ARGV[3])
        redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
        redis.call('ZREM', KEYS[2], ARGV[1])
        """;

    /// <summary>
    /// Deletes a conversation. Keys: the hash, the list of deletions, the tenant's list, the index for retention.
    /// Arguments: the id; its entry in that index. The deletion is recorded first, because Garnet logs a script's
    /// commands one by one: without it the other copies would stay.
    /// </summary>
    private const string DeleteScript = $$"""
        {{RedisDeletionLog.RecordScript}}
        redis.call('DEL', KEYS[1])
        redis.call('ZREM', KEYS[3], ARGV[1])
        redis.call('ZREM', KEYS[4], ARGV[2])
        """;

    private static readonly TimeSpan ReservationTime = TimeSpan.FromMinutes(1);

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
        string tenant, StoredConversation? expected, Conversation conversation, int firstTurn, string owner)
    {
        var key = Key(tenant, conversation.Id);
        if (expected is null && conversation.Retention == Retention.Durable)
        {
            // The entry comes first: lists omit an entry without a conversation; a conversation without an entry is
            // lost.
            await Database.ScriptEvaluateAsync(
                EnterScript,
                [Index(tenant), Reserved(tenant), RedisRetentionIndex.Key],
                [
                    conversation.Id,
                    conversation.Created.ToUnixTimeMilliseconds(),
                    RedisRetentionIndex.Entry(tenant, conversation.Id),
                ],
                CommandFlags.DemandMaster | CommandFlags.NoScriptCache);
        }

        var stored = await TryWrite(key, expected, conversation, firstTurn, owner)
            ?? await WriteAgain(key, expected, conversation, firstTurn, owner)
            ?? throw new ConversationConflictException(conversation.Id);
        await store.Replicated();
        return stored;
    }

    private async Task<StoredConversation?> WriteAgain(
        RedisKey key, StoredConversation? expected, Conversation conversation, int firstTurn, string owner)
    {
        // An earlier write that was not confirmed may have been stored.
        var found = await ReadLastWrite(key);
        return found?.Owner == owner && expected is not null
            ? await TryWrite(key, expected with { Revision = found.Revision }, conversation, firstTurn, owner)
            : null;
    }

    private async Task<LastWrite?> ReadLastWrite(RedisKey key)
    {
        var fields = await Database.HashGetAsync(key, [Revision, Owner]);
        return fields[0].HasValue ? new LastWrite((long)fields[0], fields[1].ToString()) : null;
    }

    /// <returns>Null if another write came first.</returns>
    private async Task<StoredConversation?> TryWrite(
        RedisKey key, StoredConversation? expected, Conversation conversation, int firstTurn, string owner)
    {
        var expectedRevision = expected?.Revision ?? 0;
        var revision = expectedRevision + 1;
        RedisValue[] arguments =
        [
            expectedRevision,
            conversation.Retention == Retention.CallerKept ? (int)CallerKeptExpiry.TotalSeconds : 0,
            conversation.Turns.Count,
            expected?.Conversation.Turns.Count ?? 0,
            .. conversation.Turns.Skip(firstTurn).SelectMany((turn, i) =>
                new RedisValue[] { TurnField(firstTurn + i), ConversationFormat.WriteTurn(turn) }),
            Owner, owner,
            Revision, revision,
            Head, ConversationFormat.WriteHead(conversation),
        ];
        RedisKey[] keys = DeletesTurns(expected?.Conversation, conversation, firstTurn)
            ? [key, RedisDeletionLog.Key]
            : [key];
        var written = await Database.ScriptEvaluateAsync(
            WriteScript, keys, arguments, CommandFlags.DemandMaster | CommandFlags.NoScriptCache);
        return (bool)written ? new StoredConversation(conversation, revision) : null;
    }

    public async Task Delete(string tenant, string id)
    {
        await Database.ScriptEvaluateAsync(
            DeleteScript,
            [Key(tenant, id), RedisDeletionLog.Key, Index(tenant), RedisRetentionIndex.Key],
            [id, RedisRetentionIndex.Entry(tenant, id)],
            CommandFlags.DemandMaster | CommandFlags.NoScriptCache);
        await store.Replicated();
    }

    public async Task<bool> TryReserve(string tenant, string id, int limit)
    {
        var now = time.GetUtcNow();
        return (bool)await Database.ScriptEvaluateAsync(
            ReserveScript,
            [Index(tenant), Reserved(tenant)],
            [id, limit, now.ToUnixTimeMilliseconds(), (now - ReservationTime).ToUnixTimeMilliseconds()],
            CommandFlags.DemandMaster | CommandFlags.NoScriptCache);
    }

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

            var heads = await Task.WhenAll(
                entries.Select(entry => Database.HashGetAsync(Key(tenant, entry.Element!), Head)));
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

    /// <summary>
    /// True if a tenant deleted a turn. Turns of callers who keep their history are replaced when that changes.
    /// </summary>
    private static bool DeletesTurns(Conversation? before, Conversation after, int firstTurn) =>
        after.Retention == Retention.Durable
        && before is not null
        && before.Turns.Skip(firstTurn).Any(turn => after.Turns.All(kept => kept.Id != turn.Id));

    private static RedisKey Key(string tenant, string id) =>
        $"{RedisDeletionLog.ConversationPrefix}{GrainKey.Conversation(tenant, id)}";

    private static RedisKey Index(string tenant) => $"herd:conversations:{Uri.EscapeDataString(tenant)}";

    private static RedisKey Reserved(string tenant) => $"herd:reserved:{Uri.EscapeDataString(tenant)}";

    private static string TurnField(int turn) => string.Create(CultureInfo.InvariantCulture, $"{TurnPrefix}{turn}");
}
