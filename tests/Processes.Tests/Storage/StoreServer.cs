using Herd.Testing;
using StackExchange.Redis;

namespace Herd.Processes.Tests.Storage;

/// <summary>The server that the tests of a class share.</summary>
public abstract class StoreServer(Func<Task<StoreProcess>> start) : IAsyncLifetime
{
    internal StoreProcess Process { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Process = await start();

    internal async Task Clear()
    {
        await using var admin = await ConnectionMultiplexer.ConnectAsync($"{Process.Address},allowAdmin=true");
        await admin.GetServer(Process.Address).FlushAllDatabasesAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}

public sealed class GarnetServer() : StoreServer(() => StoreProcess.StartGarnet());

public sealed class RedisServer() : StoreServer(() => StoreProcess.StartRedis());
