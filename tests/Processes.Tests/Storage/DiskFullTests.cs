using Herd.Testing;
using StackExchange.Redis;

namespace Herd.Processes.Tests.Storage;

/// <summary>The embedded store on a disk of 96 MiB that fills and empties again. Mounting it takes root.</summary>
public sealed class DiskFullTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("herd-full-");
    private StoreProcess _store = null!;

    public async ValueTask InitializeAsync()
    {
        await Tool.Run("/", "mount", "-t", "tmpfs", "-o", "size=96m", "none", _folder.FullName);
        _store = await StoreProcess.StartGarnet(Path.Combine(_folder.FullName, "store"));
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        await Tool.Run("/", "umount", _folder.FullName);
        _folder.Delete();
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

            Fill();
            for (var i = 0; i < 1000 && await Write(redis, $"at the end {i}"); i++)
            {
                acknowledged.Add($"at the end {i}");
            }
        }

        File.Delete(Filler);
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

    private string Filler => Path.Combine(_folder.FullName, "filler");

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

    /// <summary>Leaves no byte free.</summary>
    private void Fill()
    {
        using var file = File.Create(Filler);
        try
        {
            while (true)
            {
                file.Write(new byte[4096]);
                file.Flush();
            }
        }
        catch (IOException)
        {
            // The disk is full.
        }
    }
}
