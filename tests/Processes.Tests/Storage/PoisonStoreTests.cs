using Herd.Grains.Conversations.Failover.Poison;
using Herd.Grains.Conversations.Storage;
using StackExchange.Redis;

namespace Herd.Processes.Tests.Storage;

/// <summary>The same tests for every server that speaks Redis's protocol. Each starts with an empty store.</summary>
/// <typeparam name="TServer">The server that the tests of a class share.</typeparam>
public abstract class PoisonStoreTests<TServer>(TServer server) : IClassFixture<TServer>, IAsyncLifetime
    where TServer : StoreServer
{
    private StoreConnection _connection = null!;
    private RedisPoisonStore _store = null!;

    public async ValueTask InitializeAsync()
    {
        await server.Clear();
        _connection = new StoreConnection(ConfigurationOptions.Parse(server.Process.Address));
        await _connection.StartAsync(TestContext.Current.CancellationToken);
        _store = new RedisPoisonStore(_connection);
    }

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Save_Content_IsFoundUntilItIsRemoved()
    {
        var content = new SuspectContent
        {
            Digest = "d", Tenant = "t", Conversation = "c", Turn = "1", IsPoison = true,
            Expires = DateTimeOffset.UnixEpoch,
        }.AddFailure("a").AddFailure("b");
        await _store.Save(content);
        await _store.Save(content with { Digest = "e" });

        var found = await _store.Find("d");
        Assert.Equal(["a", "b"], found!.Nodes);
        Assert.Equal(content, found with { Nodes = content.Nodes });
        Assert.Equal(["d", "e"], (await _store.List()).Select(listed => listed.Digest).Order());

        await _store.Remove("d");
        Assert.Null(await _store.Find("d"));
        Assert.Single(await _store.List());
    }

    [Fact]
    public async Task TryReserve_NodeHasATrial_IsRefusedUntilThatEnds()
    {
        Assert.True(await _store.TryReserve("a", "1", TimeSpan.FromMinutes(1)));

        Assert.False(await _store.TryReserve("a", "2", TimeSpan.FromMinutes(1)));
        Assert.True(await _store.TryReserve("b", "2", TimeSpan.FromMinutes(1)));
        await _store.EndReservation("a", "2");
        Assert.False(await _store.TryReserve("a", "2", TimeSpan.FromMinutes(1)));

        await _store.EndReservation("a", "1");
        Assert.True(await _store.TryReserve("a", "2", TimeSpan.FromMinutes(1)));
        var expiry = await _connection.Database.KeyTimeToLiveAsync("herd:trial:a");
        Assert.InRange(expiry!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
    }
}

public sealed class RedisPoisonStoreTests(RedisServer server) : PoisonStoreTests<RedisServer>(server);

public sealed class GarnetPoisonStoreTests(GarnetServer server) : PoisonStoreTests<GarnetServer>(server);
