using Herd.Grains.Accounting.Limits;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Hosting;
using Herd.Grains.Hosting.Configuration;
using Microsoft.Extensions.Time.Testing;
using StackExchange.Redis;

namespace Herd.Processes.Tests.Storage;

/// <summary>The counts of two gateways with one store. The same tests for every server.</summary>
/// <typeparam name="TServer">The server that the tests of a class share.</typeparam>
public abstract class SharedCountsTests<TServer>(TServer server) : IClassFixture<TServer>, IAsyncLifetime
    where TServer : StoreServer
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly List<StoreConnection> _connections = [];
    private SharedCounts _one = null!;
    private SharedCounts _other = null!;

    public async ValueTask InitializeAsync()
    {
        await server.Clear();
        (_one, _other) = (await Connect(), await Connect());
    }

    public async ValueTask DisposeAsync()
    {
        _one.Dispose();
        _other.Dispose();
        foreach (var connection in _connections)
        {
            await connection.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Take_AtTwoGatewaysAtOnce_KeepsTheLimit()
    {
        var taken = 0;
        for (var second = 0; second < 10; second++)
        {
            var tries = Enumerable.Range(0, 40).Select(i => Task.Run(async () =>
                await (i % 2 == 0 ? _one : _other).Take("b", 600, 25, isForced: false) == TimeSpan.Zero));
            taken += 25 * (await Task.WhenAll(tries)).Count(hasTaken => hasTaken);
            _time.Advance(TimeSpan.FromSeconds(5));
        }

        // A minute's tokens at once, then 50 each 5 s.
        Assert.Equal(600 + (9 * 50), taken);
    }

    [Fact]
    public async Task Take_NotThere_SaysWhenItIs()
    {
        await _one.Take("b", 60, 60, isForced: false);
        await _other.Take("b", 60, 20, isForced: true);

        Assert.Equal(TimeSpan.FromSeconds(21), await _one.Take("b", 60, 1, isForced: false));
        _time.Advance(TimeSpan.FromSeconds(21));
        Assert.Equal(TimeSpan.Zero, await _one.Take("b", 60, 1, isForced: false));
    }

    [Fact]
    public async Task Take_NegativeUnits_ReturnsThem()
    {
        await _one.Take("b", 60, 60, isForced: false);
        await _one.Take("b", 60, -10, isForced: true);

        Assert.Equal(TimeSpan.Zero, await _other.Take("b", 60, 10, isForced: false));
        Assert.Equal(TimeSpan.FromSeconds(1), await _other.Take("b", 60, 1, isForced: false));
        await _one.Take("b", 60, -1000, isForced: true);
        await _one.Take("b", 60, 60, isForced: false);
        Assert.Equal(TimeSpan.FromSeconds(1), await _other.Take("b", 60, 1, isForced: false));
    }

    [Fact]
    public async Task TryEnter_AtTwoGatewaysAtOnce_KeepsTheLimit()
    {
        var entered = await Task.WhenAll(Enumerable.Range(0, 24).Select(i => Task.Run(() =>
            (i % 2 == 0 ? _one : _other).TryEnter("s", 3, $"{i}"))));

        Assert.Equal(3, entered.Count(hasEntered => hasEntered));
        var one = Array.IndexOf(entered, true);
        await (one % 2 == 0 ? _one : _other).Leave("s", $"{one}");
        Assert.True(await _one.TryEnter("s", 3, "next"));
    }

    /// <summary>A gateway that lives renews its entries; those of a dead one go.</summary>
    [Fact]
    public async Task TryEnter_GatewayDied_ItsEntriesGo()
    {
        await _one.TryEnter("s", 2, "a");
        await _other.TryEnter("s", 2, "b");
        _other.Dispose();

        for (var i = 0; i < 4; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(10));
            await Written("herd:limit:s", "a", _time.GetUtcNow().ToUnixTimeMilliseconds());
        }

        Assert.True(await _one.TryEnter("s", 2, "c"));
        Assert.False(await _one.TryEnter("s", 2, "d"));
    }

    [Fact]
    public async Task Take_StoreDoesNotRespond_CountsAlone()
    {
        var gone = new StoreConnection(StoreServices.Options(new ClusterOptions { Store = "127.0.0.1:1" }));
        _connections.Add(gone);
        await gone.StartAsync(TestContext.Current.CancellationToken);
        using var alone = new SharedCounts(gone, _time);

        Assert.Equal(TimeSpan.Zero, await alone.Take("b", 60, 60, isForced: false));
        Assert.Equal(TimeSpan.FromSeconds(1), await alone.Take("b", 60, 1, isForced: false));
        Assert.True(await alone.TryEnter("s", 1, "a"));
        Assert.False(await alone.TryEnter("s", 1, "b"));
        await alone.Leave("s", "a");
        Assert.True(await alone.TryEnter("s", 1, "b"));
    }

    private async Task Written(string set, string entry, long score)
    {
        while (await _connections[0].Database.SortedSetScoreAsync(set, entry) != score)
        {
            await Task.Yield();
        }
    }

    private async Task<SharedCounts> Connect()
    {
        var connection = new StoreConnection(ConfigurationOptions.Parse(server.Process.Address));
        _connections.Add(connection);
        await connection.StartAsync(TestContext.Current.CancellationToken);
        return new SharedCounts(connection, _time);
    }
}

public sealed class GarnetCountsTests(GarnetServer server) : SharedCountsTests<GarnetServer>(server);

public sealed class RedisCountsTests(RedisServer server) : SharedCountsTests<RedisServer>(server);
