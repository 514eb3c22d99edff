using Herd.Testing;
using StackExchange.Redis;

namespace Herd.Processes.Tests.Storage;

/// <summary>The embedded store on a disk of 96 MiB that fills and empties again. Mounting it takes root.</summary>
public sealed class DiskFullTests : IAsyncLifetime
{
    private SmallDisk _disk = null!;
    private StoreProcess _store = null!;

    public async ValueTask InitializeAsync()
    {
        _disk = await SmallDisk.Mount("96m");
        _store = await StoreProcess.StartGarnet(Path.Combine(_disk.Path, "store"));
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        await _disk.DisposeAsync();
    }

    [Fact]
    public async Task Write_DiskFillsAndEmptiesAgain_GoesOnWithWhatWasAcknowledged()
    {
        var pid = _store.Pid;
        var acknowledged = new List<string>();
        await using (var redis = await Connect())
        {
            Assert.True(await Write(redis, "before"));
            acknowledged.Add("before");

            _disk.Fill();
            for (var i = 0; i < 1000 && await Write(redis, $"at the end {i}"); i++)
            {
                acknowledged.Add($"at the end {i}");
            }
        }

        _disk.Empty();
        await using (var redis = await Connect())
        {
            while (!await Write(redis, "after"))
            {
                await Task.Delay(100, TestContext.Current.CancellationToken);
            }

            foreach (var name in acknowledged.Append("after"))
            {
                Assert.Equal(Value.Length, await redis.GetDatabase().StringLengthAsync(name));
            }
        }

        Assert.Equal(pid, _store.Pid);
        Assert.True(acknowledged.Count < 1000, "The disk never was full.");
    }

    private static readonly string Value = new('x', 100_000);

    private async Task<ConnectionMultiplexer> Connect()
    {
        var options = ConfigurationOptions.Parse(_store.Address);
        options.AbortOnConnectFail = false;
        options.AsyncTimeout = 2000;
        return await ConnectionMultiplexer.ConnectAsync(options);
    }

    /// <returns>True if the write was acknowledged.</returns>
    private static async Task<bool> Write(ConnectionMultiplexer redis, string name)
    {
        try
        {
            return await redis.GetDatabase().StringSetAsync(name, Value);
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            return false;
        }
    }
}
