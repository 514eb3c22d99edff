using System.Globalization;
using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Grains.Conversations.Deletions;
using Herd.Grains.Conversations.Storage.Encryption;
using StackExchange.Redis;

namespace Herd.Grains.Conversations.Storage;

/// <summary>
/// Conversations in Redis or Garnet: a hash for each conversation, so that a turn costs one write of that turn; a
/// sorted set for the list of each tenant. docs/stored-state.md.
/// </summary>
internal sealed class RedisConversationStore(StoreConnection store, TimeProvider time, StorageKeys? keys = null)
    : IConversationStore, IByteLimits
{
    private readonly StorageKeys _keys = keys ?? StorageKeys.None;

    /// <summary>The field that every conversation has.</summary>
    public const string Head = "head";

    /// <summary>The beginning of the key of a tenant's list.</summary>
    internal const string Lists = "herd:conversations:";

    private const string Owner = "owner";
    private static readonly TimeSpan CallerKeptExpiry = TimeSpan.FromDays(1);
    private static readonly TimeSpan ReservationTime = TimeSpan.FromMinutes(1);

    private IDatabase Database => store.Database;

    public async Task<StoredConversation?> Read(string tenant, string id, CancellationToken cancellation)
    {
        var fields = (await Database.HashGetAllAsync(Key(tenant, id)).WaitAsync(cancellation))
            .ToDictionary(field => field.Name.ToString(), field => field.Value.ToString());
        return fields.ContainsKey(Head)
            ? new StoredConversation(
                Parse(tenant, id, fields),
                long.Parse(fields[ConversationScripts.Revision], CultureInfo.InvariantCulture))
            : null;
    }

    /// <summary>Reads the fields of a conversation.</summary>
    /// <exception cref="InvalidDataException">They are damaged, or a newer version wrote them.</exception>
    /// <exception cref="KeyNotFoundException">A field is missing.</exception>
    public Conversation Parse(string tenant, string id, Dictionary<string, string> fields)
    {
        var key = Key(tenant, id).ToString();
        var head = ConversationFormat.ReadHead(Decrypt(Head));
        var turns = Enumerable.Range(0, head.Turns).Select(i => ConversationFormat.ReadTurn(Decrypt(TurnField(i))));
        return head.WithTurns([.. turns]);

        string Decrypt(string field) => _keys.Decrypt(fields[field], Place(key, field));
    }

    /// <summary>Encrypts the records of a conversation that are not encrypted with the first key.</summary>
    /// <param name="key">The key of its hash.</param>
    /// <returns>False if there are none; null if they cannot be read, or were written meanwhile.</returns>
    public async Task<bool?> EncryptAnew(string key)
    {
        var fields = await Database.HashGetAllAsync(key);
        var old = fields
            .Where(field => field.Name == Head || field.Name.StartsWith(ConversationScripts.TurnPrefix))
            .Where(field => StorageKeys.NameOf(field.Value.ToString()) != _keys.Current)
            .ToList();
        if (old.Count == 0)
        {
            return false;
        }

        try
        {
            var parts = GrainKey.Split(key[RedisDeletionLog.ConversationPrefix.Length..]);
            RedisValue[] arguments =
            [
                fields.First(field => field.Name == ConversationScripts.Revision).Value,
                parts[1],
                .. old.SelectMany(field => new RedisValue[] { field.Name, Encrypt(field) }),
            ];
            return (bool)await Database.ScriptEvaluateAsync(
                ByteCount.RewriteScript,
                [key, Bytes(parts[0])],
                arguments,
                CommandFlags.DemandMaster | CommandFlags.NoScriptCache)
                ? true
                : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }

        string Encrypt(HashEntry field)
        {
            var place = Place(key, field.Name.ToString());
            return _keys.Encrypt(_keys.Decrypt(field.Value.ToString(), place), place);
        }
    }

    /// <summary>
    /// Writes a conversation from a backup. Its revision is one that no owner has in memory, so that an owner finds its
    /// memory stale.
    /// </summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="current">The conversation that it replaces; null if there is none.</param>
    /// <param name="conversation">The one of the backup.</param>
    /// <exception cref="ConversationConflictException">It was written meanwhile.</exception>
    public async Task Restore(string tenant, StoredConversation? current, Conversation conversation)
    {
        await Enter(tenant, conversation);
        var revision = Math.Max(time.GetUtcNow().ToUnixTimeMilliseconds(), (current?.Revision ?? 0) + 1);
        _ = await TryWrite(
                new ConversationWrite(tenant, current, conversation, 0, "restore", IsAccepted: true)
                {
                    Revision = revision,
                })
            ?? throw new ConversationConflictException(conversation.Id);
        await store.Replicated();
    }

    public Task<LastWrite?> ReadLastWrite(string tenant, string id, CancellationToken cancellation) =>
        ReadLastWrite(Key(tenant, id)).WaitAsync(cancellation);

    public async Task<StoredConversation> Write(
        string tenant,
        StoredConversation? expected,
        Conversation conversation,
        int firstTurn,
        string owner,
        bool isAccepted = false)
    {
        var isListed = expected is null && conversation.Retention == Retention.Durable;
        if (isListed)
        {
            // The entry comes first: lists omit an entry without a conversation; a conversation without an entry is
            // lost.
            await Enter(tenant, conversation);
        }

        var write = new ConversationWrite(tenant, expected, conversation, firstTurn, owner, isAccepted);
        try
        {
            var stored = await TryWrite(write)
                ?? await WriteAgain(write)
                ?? throw new ConversationConflictException(conversation.Id);
            await store.Replicated();
            return stored;
        }
        catch (StoredBytesException) when (isListed)
        {
            await Database.SortedSetRemoveAsync(Index(tenant), conversation.Id);
            throw;
        }
    }

    /// <summary>Adds a conversation to the list of its tenant.</summary>
    private async Task Enter(string tenant, Conversation conversation) => await Database.ScriptEvaluateAsync(
        ConversationScripts.Enter,
        [Index(tenant), Reserved(tenant), RedisRetentionIndex.Key],
        [
            conversation.Id,
            conversation.Created.ToUnixTimeMilliseconds(),
            RedisRetentionIndex.Entry(tenant, conversation.Id),
        ],
        CommandFlags.DemandMaster | CommandFlags.NoScriptCache);

    public Task SetLimit(string tenant, long? bytes) => bytes is { } limit
        ? Database.HashSetAsync(Bytes(tenant), ByteCount.Limit, limit)
        : Database.HashDeleteAsync(Bytes(tenant), ByteCount.Limit);

    private async Task<StoredConversation?> WriteAgain(ConversationWrite write)
    {
        // An earlier write that was not confirmed may have been stored.
        var found = await ReadLastWrite(Key(write.Tenant, write.Conversation.Id));
        return found?.Owner == write.Owner && write.Expected is not null
            ? await TryWrite(write with { Expected = write.Expected with { Revision = found.Revision } })
            : null;
    }

    private async Task<LastWrite?> ReadLastWrite(RedisKey key)
    {
        var fields = await Database.HashGetAsync(key, [ConversationScripts.Revision, Owner]);
        return fields[0].HasValue ? new LastWrite((long)fields[0], fields[1].ToString()) : null;
    }

    /// <returns>Null if another write came first.</returns>
    private async Task<StoredConversation?> TryWrite(ConversationWrite write)
    {
        var (tenant, expected, conversation, firstTurn, owner, isAccepted) = write;
        var expectedRevision = expected?.Revision ?? 0;
        var revision = write.Revision ?? (expectedRevision + 1);
        var isDurable = conversation.Retention == Retention.Durable;
        RedisValue[] arguments =
        [
            expectedRevision,
            isDurable ? 0 : (int)CallerKeptExpiry.TotalSeconds,
            conversation.Turns.Count,
            expected?.Conversation.Turns.Count ?? 0,
            isDurable && DeletesTurns(expected?.Conversation, conversation, firstTurn),
            isDurable ? ByteCount.ExpectedAnswer(conversation) : RedisValue.EmptyString,
            !isAccepted && ByteCount.MayBeRefused(expected?.Conversation, conversation),
            conversation.Id,
            .. conversation.Turns.Skip(firstTurn).SelectMany((turn, i) =>
                new RedisValue[]
                {
                    TurnField(firstTurn + i), Encrypt(ConversationFormat.WriteTurn(turn), TurnField(firstTurn + i)),
                }),
            Owner, owner,
            ConversationScripts.Revision, revision,
            Head, Encrypt(ConversationFormat.WriteHead(conversation), Head),
        ];
        var written = (long)await Database.ScriptEvaluateAsync(
            ConversationScripts.Write,
            [Key(tenant, conversation.Id), RedisDeletionLog.Key, Bytes(tenant)],
            arguments,
            CommandFlags.DemandMaster | CommandFlags.NoScriptCache);
        return written switch
        {
            < 0 => throw new StoredBytesException(-written),
            0 => null,
            _ => new StoredConversation(conversation, revision),
        };

        string Encrypt(string record, string field) =>
            _keys.Encrypt(record, Place(Key(tenant, conversation.Id).ToString(), field));
    }

    public async Task Delete(string tenant, string id)
    {
        await Database.ScriptEvaluateAsync(
            ConversationScripts.Delete,
            [Key(tenant, id), RedisDeletionLog.Key, Index(tenant), RedisRetentionIndex.Key, Bytes(tenant)],
            [id, RedisRetentionIndex.Entry(tenant, id)],
            CommandFlags.DemandMaster | CommandFlags.NoScriptCache);
        await store.Replicated();
    }

    public async Task<bool> TryReserve(string tenant, string id, int limit)
    {
        var now = time.GetUtcNow();
        return (bool)await Database.ScriptEvaluateAsync(
            ConversationScripts.Reserve,
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
                    var place = Place(Key(tenant, entries[i].Element.ToString()).ToString(), Head);
                    conversations.Add(
                        ConversationFormat.ReadHead(_keys.Decrypt(heads[i].ToString(), place)).WithTurns([]));
                }

                cursor = PageToken.After(cursor, entries[i].Score);
            }
        }
    }

    /// <summary>
    /// True if a tenant deleted a turn. (Turns of callers who keep their history are replaced when that changes.)
    /// </summary>
    private static bool DeletesTurns(Conversation? before, Conversation after, int firstTurn) =>
        before is not null
        && before.Turns.Skip(firstTurn).Any(turn => after.Turns.All(kept => kept.Id != turn.Id));

    public static RedisKey Key(string tenant, string id) =>
        $"{RedisDeletionLog.ConversationPrefix}{GrainKey.Conversation(tenant, id)}";

    /// <summary>The place of a record, which its encryption is bound to.</summary>
    private static string Place(string key, string field) => $"{key}\n{field}";

    private static RedisKey Index(string tenant) => $"{Lists}{Uri.EscapeDataString(tenant)}";

    private static RedisKey Bytes(string tenant) => $"herd:bytes:{Uri.EscapeDataString(tenant)}";

    private static RedisKey Reserved(string tenant) => $"herd:reserved:{Uri.EscapeDataString(tenant)}";

    private static string TurnField(int turn) =>
        ConversationScripts.TurnPrefix + turn.ToString(CultureInfo.InvariantCulture);

    /// <summary>The arguments of a write.</summary>
    private sealed record ConversationWrite(
        string Tenant,
        StoredConversation? Expected,
        Conversation Conversation,
        int FirstTurn,
        string Owner,
        bool IsAccepted)
    {
        /// <summary>The new revision; null for the one behind the expected.</summary>
        public long? Revision { get; init; }
    }
}
