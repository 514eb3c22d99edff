using Herd.Contracts.Conversations;
using Herd.Grains.Conversations.Storage;
using Herd.Testing;
using StackExchange.Redis;

namespace Herd.Grains.Tests;

public sealed class GarnetConversationStoreTests : ConversationStoreTests
{
    protected override Task<StoreProcess> Start() => StoreProcess.StartGarnet();
}

public sealed class RedisConversationStoreTests : ConversationStoreTests
{
    protected override Task<StoreProcess> Start() => StoreProcess.StartRedis();

    /// <summary>A write that only the primary has counts for nothing where a replica must have it; once there is one, it does.</summary>
    [Fact]
    public async Task Write_ReplicaIsAway_DoesNotCountUntilItIsThere()
    {
        await using var primary = await StoreProcess.StartRedis();
        await using var connection = new StoreConnection(ConfigurationOptions.Parse(primary.Address), replicas: 1);
        await connection.StartAsync(TestContext.Current.CancellationToken);
        var store = new RedisConversationStore(connection);
        var conversation = new Conversation { Id = "c", Created = DateTimeOffset.UnixEpoch };
        var first = new StoredConversation(conversation, 0);

        await Assert.ThrowsAsync<TimeoutException>(() => store.Write("t", null, conversation, 0, ConversationKind.Durable, "me"));
        await using var replica = await StoreProcess.StartRedis(replicaOf: primary.Port);
        StoredConversation? written = null;
        while (written is null)
        {
            written = await Try(() => store.Write("t", first, conversation, 0, ConversationKind.Durable, "me"));
        }

        Assert.Equal(conversation, (await store.Read("t", "c", TestContext.Current.CancellationToken))!.Conversation with { Turns = conversation.Turns });

        static async Task<StoredConversation?> Try(Func<Task<StoredConversation>> write)
        {
            try
            {
                return await write();
            }
            catch (TimeoutException)
            {
                return null;
            }
        }
    }
}

/// <summary>The same of every server that speaks Redis's protocol.</summary>
public abstract class ConversationStoreTests : IAsyncLifetime
{
    private StoreProcess _process = null!;
    private StoreConnection _connection = null!;
    private RedisConversationStore _store = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _process = await Start();
        _connection = new StoreConnection(ConfigurationOptions.Parse(_process.Address));
        await _connection.StartAsync(Cancellation);
        _store = new RedisConversationStore(_connection);
    }

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        await _process.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Write_NewConversation_IsReadBack()
    {
        var conversation = New("c") with { Turns = [Turn("1"), Turn("2")], System = "brief", Home = "node-1", Epoch = 3 };
        await Write(null, conversation);

        var read = await _store.Read("t", "c", Cancellation);

        Assert.Equal(1, read!.Revision);
        Assert.Equal(["1", "2"], read.Conversation.Turns.Select(turn => turn.Id));
        Assert.Equal(conversation, read.Conversation with { Turns = conversation.Turns });
        Assert.Null(await _store.Read("t", "other", Cancellation));
        Assert.Null(await _store.Read("other", "c", Cancellation));
    }

    [Fact]
    public async Task Write_TurnsFromOneOn_ReplacesTheRest()
    {
        var first = await Write(null, New("c") with { Turns = [Turn("1"), Turn("2"), Turn("3")] });
        await Write(first, first.Conversation with { Turns = [first.Conversation.Turns[0], Turn("4")] }, firstTurn: 1);

        var read = await _store.Read("t", "c", Cancellation);

        Assert.Equal(["1", "4"], read!.Conversation.Turns.Select(turn => turn.Id));
    }

    [Fact]
    public async Task Write_SomebodyElseWrote_IsRefusedAndChangesNothing()
    {
        var first = await Write(null, New("c"));
        await Write(first, first.Conversation with { Epoch = 1 }, owner: "other");

        await Assert.ThrowsAsync<ConversationConflictException>(() => Write(first, first.Conversation with { Epoch = 2 }));
        await Assert.ThrowsAsync<ConversationConflictException>(() => Write(null, New("c")));
        Assert.Equal(1, (await _store.Read("t", "c", Cancellation))!.Conversation.Epoch);
    }

    [Fact]
    public async Task ReadLastWrite_Writes_TellsHowManyAndWhose()
    {
        var none = await _store.ReadLastWrite("t", "c", Cancellation);
        var first = await Write(null, New("c"));
        await Write(first, first.Conversation, owner: "other");
        var two = await _store.ReadLastWrite("t", "c", Cancellation);
        await _store.Delete("t", "c");

        Assert.Equal([null, new LastWrite(2, "other"), null], new[] { none, two, await _store.ReadLastWrite("t", "c", Cancellation) });
    }

    [Fact]
    public async Task Write_KeptByCaller_IsNotListedAndExpires()
    {
        await Write(null, New("c"), kind: ConversationKind.CallerKept);

        Assert.Empty((await _store.List("t", 10, null)).Conversations);
        var left = await _connection.Database.KeyTimeToLiveAsync("herd:conversation:t/c");
        Assert.InRange(left!.Value, TimeSpan.FromHours(23), TimeSpan.FromHours(24));
    }

    [Fact]
    public async Task List_Pages_ReachEveryConversationOnceNewestFirst()
    {
        for (var i = 0; i < 7; i++)
        {
            // Three of a time, so that pages end among equals.
            await Write(null, New($"c{i}") with { Created = DateTimeOffset.UnixEpoch.AddSeconds(i / 3) });
        }

        await Write(null, New("others"), tenant: "other");
        var seen = new List<Conversation>();
        string? token = null;
        do
        {
            var page = await _store.List("t", 2, token);
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
        await Assert.ThrowsAsync<FormatException>(() => _store.List("t", 2, token));
    }

    /// <summary>A write whose answer was lost has landed all the same; its writer does not take it for somebody else's.</summary>
    [Fact]
    public async Task Write_AfterAnOwnWriteWithoutAnswer_Lands()
    {
        var first = await Write(null, New("c"));
        await Write(first, New("c") with { Turns = [Turn("1")] });

        var third = await Write(first, New("c") with { Turns = [Turn("1"), Turn("2")] });

        Assert.Equal(["1", "2"], (await _store.Read("t", "c", Cancellation))!.Conversation.Turns.Select(turn => turn.Id));
        Assert.Equal(3, third.Revision);
        await Assert.ThrowsAsync<ConversationConflictException>(() => Write(first, New("c"), owner: "other"));
    }

    [Fact]
    public async Task Delete_Conversation_IsGoneEverywhere()
    {
        await Write(null, New("c"));
        await _store.Delete("t", "c");

        Assert.Null(await _store.Read("t", "c", Cancellation));
        Assert.Empty((await _store.List("t", 10, null)).Conversations);
    }

    protected abstract Task<StoreProcess> Start();

    private Task<StoredConversation> Write(
        StoredConversation? expected,
        Conversation conversation,
        int firstTurn = 0,
        ConversationKind kind = ConversationKind.Durable,
        string tenant = "t",
        string owner = "one") => _store.Write(tenant, expected, conversation, firstTurn, kind, owner);

    private static Conversation New(string id) => new() { Id = id, Created = DateTimeOffset.UnixEpoch };

    private static Turn Turn(string id) => new()
    {
        Id = id,
        State = TurnState.Pending,
        Input = [new Message(Contracts.Conversations.Role.User, "hello")],
        Created = DateTimeOffset.UnixEpoch,
        Settings = new GenerationSettings(),
    };
}
