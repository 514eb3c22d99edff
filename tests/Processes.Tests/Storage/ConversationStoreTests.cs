using Herd.Contracts.Conversations;
using Herd.Grains.Conversations.Deletions;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Conversations.Storage.Encryption;
using Herd.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StackExchange.Redis;

namespace Herd.Processes.Tests.Storage;

/// <summary>The same tests for every server that speaks Redis's protocol. Each starts with an empty store.</summary>
/// <typeparam name="TServer">The server that the tests of a class share.</typeparam>
public abstract class ConversationStoreTests<TServer>(TServer server) : IClassFixture<TServer>, IAsyncLifetime
    where TServer : StoreServer
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(50));
    private StoreConnection _connection = null!;

    private protected StoreProcess Process => server.Process;

    private protected RedisConversationStore Store { get; private set; } = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await server.Clear();
        (_connection, Store) = await Connect();
    }

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Write_NewConversation_IsReadBack()
    {
        var conversation =
            New("c") with { Turns = [Turn("1"), Turn("2")], System = "brief", Home = "node-1", Epoch = 3 };
        await Write(null, conversation);

        var read = await Store.Read("t", "c", Cancellation);

        Assert.Equal(1, read!.Revision);
        Assert.Equal(["1", "2"], read.Conversation.Turns.Select(turn => turn.Id));
        Assert.Equal(conversation, read.Conversation with { Turns = conversation.Turns });
        Assert.Null(await Store.Read("t", "other", Cancellation));
        Assert.Null(await Store.Read("other", "c", Cancellation));
    }

    [Fact]
    public async Task Write_TurnsFromOneOn_ReplacesTheRest()
    {
        var first = await Write(null, New("c") with { Turns = [Turn("1"), Turn("2"), Turn("3")] });
        await Write(first, first.Conversation with { Turns = [first.Conversation.Turns[0], Turn("4")] }, firstTurn: 1);

        var read = await Store.Read("t", "c", Cancellation);

        Assert.Equal(["1", "4"], read!.Conversation.Turns.Select(turn => turn.Id));
    }

    [Fact]
    public async Task Write_SomebodyElseWrote_IsRefusedAndChangesNothing()
    {
        var first = await Write(null, New("c"));
        await Write(first, first.Conversation with { Epoch = 1 }, owner: "other");

        await Assert.ThrowsAsync<ConversationConflictException>(
            () => Write(first, first.Conversation with { Epoch = 2 }));
        await Assert.ThrowsAsync<ConversationConflictException>(() => Write(null, New("c")));
        Assert.Equal(1, (await Store.Read("t", "c", Cancellation))!.Conversation.Epoch);
    }

    [Fact]
    public async Task Write_ManyAtOnce_OneIsTakenEachTime()
    {
        var writers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Connect()));
        StoredConversation? last = null;
        for (var round = 0; round < 300; round++)
        {
            var written = await Task.WhenAll(
                writers.Select((writer, i) => Task.Run(() => Race(writer.Store, last, $"writer-{i}"))));
            last = Assert.Single(written, stored => stored is not null);
        }

        foreach (var (connection, _) in writers)
        {
            await connection.DisposeAsync();
        }

        static async Task<StoredConversation?> Race(
            RedisConversationStore store, StoredConversation? expected, string owner)
        {
            try
            {
                return await store.Write("t", expected, New("c") with { Retention = Retention.CallerKept }, 0, owner);
            }
            catch (ConversationConflictException)
            {
                return null;
            }
        }
    }

    /// <summary>The client still negotiates with the server at that time.</summary>
    [Fact]
    public async Task Write_JustConnected_IsNotHeldUp()
    {
        for (var i = 0; i < 200; i++)
        {
            var (connection, store) = await Connect();
            await store.Write("t", null, New($"c{i}") with { Retention = Retention.CallerKept }, 0, "one");
            await connection.DisposeAsync();
        }
    }

    [Fact]
    public async Task Write_ManyTurns_AreAllReadBack()
    {
        await Write(null, New("c") with { Turns = [.. Enumerable.Range(0, 10_000).Select(i => Turn($"{i}"))] });

        var turns = (await Store.Read("t", "c", Cancellation))!.Conversation.Turns;

        Assert.Equal(Enumerable.Range(0, 10_000).Select(i => $"{i}"), turns.Select(turn => turn.Id));
    }

    [Fact]
    public async Task ReadLastWrite_Writes_TellsHowManyAndWhose()
    {
        var none = await Store.ReadLastWrite("t", "c", Cancellation);
        var first = await Write(null, New("c"));
        await Write(first, first.Conversation, owner: "other");
        var two = await Store.ReadLastWrite("t", "c", Cancellation);
        await Store.Delete("t", "c");

        Assert.Equal(
            [null, new LastWrite(2, "other"), null],
            new[] { none, two, await Store.ReadLastWrite("t", "c", Cancellation) });
    }

    [Fact]
    public async Task Write_KeptByCaller_IsNotListedAndExpires()
    {
        await Write(null, New("c"), kind: Retention.CallerKept);

        Assert.Empty((await Store.List("t", 10, null)).Conversations);
        var left = await _connection.Database.KeyTimeToLiveAsync("herd:conversation:t/c");
        Assert.InRange(left!.Value, TimeSpan.FromHours(23), TimeSpan.FromHours(24));
    }

    [Fact]
    public async Task List_Pages_ReachEveryConversationOnceNewestFirst()
    {
        for (var i = 0; i < 7; i++)
        {
            // Three conversations per timestamp, so that pages end among equal timestamps.
            await Write(null, New($"c{i}") with { Created = DateTimeOffset.UnixEpoch.AddSeconds(i / 3) });
        }

        await Write(null, New("others"), tenant: "other");
        var seen = new List<Conversation>();
        string? token = null;
        do
        {
            var page = await Store.List("t", 2, token);
            Assert.InRange(page.Conversations.Count, 1, 2);
            seen.AddRange(page.Conversations);
            token = page.Next;
        }
        while (token is not null);

        Assert.Equal(["c0", "c1", "c2", "c3", "c4", "c5", "c6"], seen.Select(c => c.Id).Order());
        Assert.Equal(seen.Select(c => c.Created).OrderDescending(), seen.Select(c => c.Created));
    }

    [Theory]
    [InlineData("")]
    [InlineData("x.y")]
    [InlineData("1.2.3")]
    [InlineData("-1.0")]
    public async Task List_TokenThatIsNone_IsRefused(string token)
    {
        await Assert.ThrowsAsync<FormatException>(() => Store.List("t", 2, token));
    }

    /// <summary>A write whose reply was lost was executed. Its writer recognises it as its own.</summary>
    [Fact]
    public async Task Write_AfterAnOwnWriteWithoutAnswer_Lands()
    {
        var first = await Write(null, New("c"));
        await Write(first, New("c") with { Turns = [Turn("1")] });

        var third = await Write(first, New("c") with { Turns = [Turn("1"), Turn("2")] });

        Assert.Equal(
            ["1", "2"], (await Store.Read("t", "c", Cancellation))!.Conversation.Turns.Select(turn => turn.Id));
        Assert.Equal(3, third.Revision);
        await Assert.ThrowsAsync<ConversationConflictException>(() => Write(first, New("c"), owner: "other"));
    }

    [Fact]
    public async Task Delete_Conversation_IsGoneEverywhere()
    {
        await Write(null, New("c"));
        await Store.Delete("t", "c");

        Assert.Null(await Store.Read("t", "c", Cancellation));
        Assert.Empty((await Store.List("t", 10, null)).Conversations);
    }

    /// <summary>Nodes find it there, also those that are away now.</summary>
    [Fact]
    public async Task Delete_ConversationAndTurn_AreRecordedWithIt()
    {
        var log = new RedisDeletionLog(_connection);
        var kept = await Write(null, New("kept") with { Turns = [Turn("1"), Turn("2")] });
        await Write(null, New("a/b"), tenant: "t/u");
        Assert.Empty(await log.Read(0));

        await Store.Delete("t/u", "a/b");
        await Write(kept, kept.Conversation with { Turns = [Turn("1")] }, firstTurn: 0);

        var deletions = await log.Read(0);
        Assert.Equal([("t/u", "a/b"), ("t", "kept")], deletions.Select(one => (one.Tenant, one.Conversation)));
        Assert.InRange(
            DateTimeOffset.FromUnixTimeMilliseconds(deletions[0].At),
            DateTimeOffset.UtcNow - TimeSpan.FromMinutes(5),
            DateTimeOffset.UtcNow + TimeSpan.FromMinutes(5));
        Assert.Contains(deletions[1], await log.Read(deletions[1].At));
        Assert.Empty(await log.Read(deletions[1].At + 1));
    }

    /// <summary>Such turns are replaced whenever the caller changes its history. That is no deletion.</summary>
    [Fact]
    public async Task Write_TurnsOfCallersAreReplacedOrTurnsAdded_RecordsNoDeletion()
    {
        var callers = await Write(null, New("c") with { Turns = [Turn("1")] }, kind: Retention.CallerKept);
        await Write(callers, New("c") with { Turns = [Turn("2")] }, kind: Retention.CallerKept);
        var durable = await Write(null, New("d") with { Turns = [Turn("1")] });
        await Write(durable, New("d") with { Turns = [Turn("1"), Turn("2")] }, firstTurn: 1);

        Assert.Empty(await new RedisDeletionLog(_connection).Read(0));
    }

    [Fact]
    public async Task FindUnused_Conversations_AreThereUntilTheyAreDeleted()
    {
        var index = new RedisRetentionIndex(_connection);
        await Write(null, New("a/b"), tenant: "t/u");
        await Write(null, New("later") with { Created = DateTimeOffset.UnixEpoch.AddDays(2) });
        await Write(null, New("callers"), kind: Retention.CallerKept);

        Assert.Equal([new("t/u", "a/b")], await Unused(day: 1));
        Assert.Equal([new("t/u", "a/b"), new("t", "later")], await Unused(day: 3));
        Assert.Equal(2, await index.CountUnused(DateTimeOffset.UnixEpoch.AddDays(3)));
        Assert.Single(await index.FindUnused(DateTimeOffset.UnixEpoch.AddDays(3), 1));

        await index.Record(new("t/u", "a/b"), DateTimeOffset.UnixEpoch.AddDays(5));
        await Store.Delete("t", "later");
        Assert.Empty(await Unused(day: 4));
        await index.Remove(new("t/u", "a/b"));
        Assert.Empty(await Unused(day: 6));

        Task<IReadOnlyList<StoredName>> Unused(int day) =>
            index.FindUnused(DateTimeOffset.UnixEpoch.AddDays(day), 100);
    }

    /// <summary>Earlier versions had no index. One gateway at a time begins a sweep.</summary>
    [Fact]
    public async Task TryBegin_ConversationsOfAnEarlierVersion_AreAdded()
    {
        var index = new RedisRetentionIndex(_connection);
        await Write(null, New("a/b"), tenant: "t/u");
        await Write(null, New("c"));
        await _connection.Database.KeyDeleteAsync("herd:retention");

        var begun = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => index.TryBegin(TimeSpan.FromMinutes(1))));

        Assert.Single(begun, isBegun => isBegun);
        Assert.Equal(
            [new("t", "c"), new("t/u", "a/b")],
            (await index.FindUnused(DateTimeOffset.MaxValue.AddDays(-1), 9)).OrderBy(name => name.Tenant));
    }

    /// <summary>The count is that of what is stored, whatever was written before.</summary>
    [Fact]
    public async Task Write_TurnsComeChangeAndGo_CountsTheBytesThatAreStored()
    {
        var stored = await Write(null, New("c") with { Turns = [Ended("1"), Ended("2")] });
        Assert.Equal(await StoredLength("c"), await UsedBytes());

        stored = await Write(stored, stored.Conversation with { Turns = [Ended("1"), Ended("a longer id")] }, 1);
        Assert.Equal(await StoredLength("c"), await UsedBytes());
        stored = await Write(stored, stored.Conversation with { Turns = [Ended("1")] }, 0);
        Assert.Equal(await StoredLength("c"), await UsedBytes());
        await Write(null, New("d"));
        Assert.Equal(await StoredLength("c") + await StoredLength("d"), await UsedBytes());

        await Store.Delete("t", "c");
        Assert.Equal(await StoredLength("d"), await UsedBytes());
        await Store.Delete("t", "c");
        await Store.Delete("t", "d");
        Assert.Equal(0, await UsedBytes());
    }

    /// <summary>An answer has its room before it begins, and gives back what it does not need.</summary>
    [Fact]
    public async Task Write_TurnIsToBeAnswered_CountsItsExpectedAnswerUntilItEnds()
    {
        var pending = Turn("1") with { Settings = new GenerationSettings { MaxTokens = 100 } };
        var stored = await Write(null, New("c") with { Turns = [pending] });
        Assert.Equal(await StoredLength("c") + 2048 + 1600, await UsedBytes());

        await Write(stored, stored.Conversation with { Turns = [pending with { State = TurnState.Completed }] });

        Assert.Equal(await StoredLength("c"), await UsedBytes());
    }

    [Fact]
    public async Task Write_ConversationOfAnEarlierVersion_CountsAllOfIt()
    {
        var stored = await Write(null, New("c") with { Turns = [Ended("1"), Ended("2")] });
        await _connection.Database.HashDeleteAsync("herd:conversation:t/c", "bytes");
        await _connection.Database.KeyDeleteAsync("herd:bytes:t");

        await Write(stored, stored.Conversation with { Turns = [Ended("1"), Ended("2"), Ended("3")] }, 2);

        Assert.Equal(await StoredLength("c"), await UsedBytes());
    }

    /// <summary>As if 24 clients took a turn each at two gateways, with room for three.</summary>
    [Fact]
    public async Task Write_ManyTurnsAtOnce_KeepTheLimitAndAnswersAreStoredInAnyCase()
    {
        var (connection, other) = await Connect();
        var all = await Task.WhenAll(Enumerable.Range(0, 24).Select(i => Write(null, New($"c{i}"))));
        var turn = Turn("1") with { Settings = new GenerationSettings { MaxTokens = 100 } };
        var needed = await UsedBytes();
        await Store.SetLimit("t", needed + (3 * (2048 + 1600 + 1000)));

        var taken = await Task.WhenAll(all.Select((stored, i) => Task.Run(async () =>
        {
            try
            {
                var store = i % 2 == 0 ? Store : other;
                return await store.Write("t", stored, stored.Conversation with { Turns = [turn] }, 0, "one");
            }
            catch (StoredBytesException)
            {
                return null;
            }
        })));
        await connection.DisposeAsync();

        var accepted = taken.OfType<StoredConversation>().ToList();
        Assert.Equal(3, accepted.Count);
        var answer = new Answer(new string('x', 100_000), [], true);
        await Write(
            accepted[0],
            accepted[0].Conversation with
            {
                Turns = [turn with { State = TurnState.Completed, Answer = answer }],
            });
        await Assert.ThrowsAsync<StoredBytesException>(() => Write(null, New("new")));
        Assert.DoesNotContain("new", (await Store.List("t", 99, null)).Conversations.Select(found => found.Id));
        Assert.True(await Store.TryReserve("t", "another", limit: 25));

        await Store.Delete("t", accepted[0].Conversation.Id);
        await Write(null, New("new"));
        await Store.SetLimit("t", null);
        await Write(null, New("more") with { Turns = [Ended(new string('x', 100_000))] });
    }

    /// <summary>It waited while the store was away.</summary>
    [Fact]
    public async Task Write_WasAcceptedBefore_IsNotRefused()
    {
        var stored = await Write(null, New("c"));
        await Store.SetLimit("t", 1);
        var next = stored.Conversation with { Turns = [Turn("1")] };

        await Assert.ThrowsAsync<StoredBytesException>(() => Store.Write("t", stored, next, 0, "one"));
        await Store.Write("t", stored, next, 0, "one", isAccepted: true);
        await Write(null, New("callers"), kind: Retention.CallerKept);
    }

    [Fact]
    public async Task Write_WithAKey_StoresNoTextAndReadsItBack()
    {
        var store = new RedisConversationStore(_connection, _time, One);
        var conversation = New("c") with { System = "secret", Turns = [Turn("1")] };
        var stored = await store.Write("t", null, conversation, 0, "one");
        await store.Write("t", stored, conversation with { Turns = [Turn("1"), Turn("2")] }, 1, "one");

        var read = await store.Read("t", "c", Cancellation);

        Assert.Equal(["1", "2"], read!.Conversation.Turns.Select(turn => turn.Id));
        Assert.Equal("secret", read.Conversation.System);
        Assert.Equal("secret", (await store.List("t", 9, null)).Conversations.Single().System);
        Assert.All(
            await _connection.Database.HashGetAllAsync("herd:conversation:t/c"),
            field =>
            {
                Assert.DoesNotContain("secret", field.Value.ToString(), StringComparison.Ordinal);
                Assert.DoesNotContain("hello", field.Value.ToString(), StringComparison.Ordinal);
            });
        await Assert.ThrowsAsync<InvalidDataException>(() => Store.Read("t", "c", Cancellation));
    }

    /// <summary>From a version without encryption to a key, to another key, without the first.</summary>
    [Fact]
    public async Task EncryptAnew_KeysChange_EverythingIsReadAndCounted()
    {
        await Write(null, New("c") with { Turns = [Turn("1"), Ended("2")] });
        foreach (var keys in new[] { One, Both, Two })
        {
            var store = new RedisConversationStore(_connection, _time, keys);
            using var rotation = new KeyRotation(
                _connection, store, keys, _time, NullLogger<KeyRotation>.Instance);
            await rotation.PassIfDue(Cancellation);
            Assert.Equal(keys == Two, (await EncryptionState.Read(_connection.Database)).IsComplete(keys.Current));
            await rotation.PassIfDue(Cancellation);

            Assert.True((await EncryptionState.Read(_connection.Database)).IsComplete(keys.Current));
            var read = await store.Read("t", "c", Cancellation);
            Assert.Equal(["1", "2"], read!.Conversation.Turns.Select(turn => turn.Id));
            Assert.Equal(1, read.Revision);
            Assert.Equal(await StoredLength("c"), await UsedBytes());
        }
    }

    [Fact]
    public async Task EncryptAnew_KeyIsMissing_IsToldAndChangesNothing()
    {
        await new RedisConversationStore(_connection, _time, One).Write("t", null, New("c"), 0, "one");
        var store = new RedisConversationStore(_connection, _time, Two);
        using var rotation = new KeyRotation(_connection, store, Two, _time, NullLogger<KeyRotation>.Instance);

        await rotation.PassIfDue(Cancellation);

        Assert.Equal(1, (await EncryptionState.Read(_connection.Database)).Failed);
        Assert.NotNull(await new RedisConversationStore(_connection, _time, One).Read("t", "c", Cancellation));
    }

    private const string KeyOne = "one AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    private const string KeyTwo = "two AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

    private static StorageKeys One { get; } = StorageKeys.Parse(KeyOne);

    private static StorageKeys Two { get; } = StorageKeys.Parse(KeyTwo);

    private static StorageKeys Both { get; } = StorageKeys.Parse($"{KeyTwo}\n{KeyOne}");

    private async Task<long> UsedBytes() =>
        (long)await _connection.Database.HashGetAsync("herd:bytes:t", "=used");

    /// <summary>The bytes of what is stored of a conversation.</summary>
    private async Task<long> StoredLength(string id) =>
        (await _connection.Database.HashGetAllAsync($"herd:conversation:t/{id}"))
            .Where(field => field.Name != "bytes")
            .Sum(field => field.Value.Length());

    private static Turn Ended(string id) => Turn(id) with { State = TurnState.Completed };

    /// <summary>As if 24 clients of a tenant with a limit of 3 created one each at two gateways.</summary>
    [Fact]
    public async Task TryReserve_ManyAtOnce_KeepTheLimitWhileTheyAreCreated()
    {
        var (connection, other) = await Connect();
        var created = await Task.WhenAll(Enumerable.Range(0, 24).Select(i => Task.Run(async () =>
        {
            var store = i % 2 == 0 ? Store : other;
            return await store.TryReserve("t", $"c{i}", limit: 3)
                && (await store.Write("t", null, New($"c{i}"), 0, "one")).Revision == 1;
        })));
        await connection.DisposeAsync();

        Assert.Equal(3, created.Count(isCreated => isCreated));
        Assert.False(await Store.TryReserve("t", "another", limit: 3));
        Assert.True(await Store.TryReserve("other", "another", limit: 3));
        await Store.Delete("t", (await Store.List("t", 1, null)).Conversations[0].Id);
        Assert.True(await Store.TryReserve("t", "another", limit: 3));
    }

    [Fact]
    public async Task TryReserve_SameConversationAgain_TakesOnePlace()
    {
        for (var i = 0; i < 3; i++)
        {
            Assert.True(await Store.TryReserve("t", "c", limit: 1));
        }

        await Write(null, New("c"));
        Assert.True(await Store.TryReserve("t", "c", limit: 1));
        Assert.False(await Store.TryReserve("t", "d", limit: 1));
    }

    /// <summary>The gateway that reserved the place died before it created the conversation.</summary>
    [Fact]
    public async Task TryReserve_PlaceIsNotUsed_IsFreeAfterAMinute()
    {
        await Store.TryReserve("t", "c", limit: 1);
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.False(await Store.TryReserve("t", "d", limit: 1));

        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.True(await Store.TryReserve("t", "d", limit: 1));
    }

    private async Task<(StoreConnection Connection, RedisConversationStore Store)> Connect()
    {
        var connection = new StoreConnection(ConfigurationOptions.Parse(Process.Address));
        await connection.StartAsync(Cancellation);
        return (connection, new RedisConversationStore(connection, _time));
    }

    private protected Task<StoredConversation> Write(
        StoredConversation? expected,
        Conversation conversation,
        int firstTurn = 0,
        Retention kind = Retention.Durable,
        string tenant = "t",
        string owner = "one") =>
            Store.Write(tenant, expected, conversation with { Retention = kind }, firstTurn, owner);

    private protected static Conversation New(string id) => new() { Id = id, Created = DateTimeOffset.UnixEpoch };

    private protected static Turn Turn(string id) => new()
    {
        Id = id,
        State = TurnState.Pending,
        Input = [new Message(Contracts.Conversations.Role.User, "hello")],
        Created = DateTimeOffset.UnixEpoch,
        Settings = new GenerationSettings(),
    };
}
