using System.Runtime.CompilerServices;
using Microsoft.Extensions.Hosting;
using StackExchange.Redis;

namespace Herd.Grains.Conversations.Storage;

/// <summary>
/// The connection to the store. It is opened while the process starts. Opened on first use, it would block a thread for
/// each conversation of the first burst, while connecting needs a free thread itself: 12 s were measured.
/// </summary>
/// <remarks>If the store does not respond at the start, the connection is opened later, without an error.</remarks>
/// <param name="options">The addresses of the store.</param>
/// <param name="replicas">The number of replicas that must confirm each write.</param>
public sealed class StoreConnection(ConfigurationOptions options, int replicas = 0) : IHostedService, IAsyncDisposable
{
    /// <summary>Keys that a server is asked for at a time.</summary>
    private const int Page = 500;

    private static readonly TimeSpan ReplicaTimeout = TimeSpan.FromSeconds(1);

    private ConnectionMultiplexer? _redis;

    /// <exception cref="InvalidOperationException"><see cref="StartAsync"/> has not ended yet.</exception>
    public IDatabase Database =>
        (_redis ?? throw new InvalidOperationException("The connection to the store is not open yet.")).GetDatabase();

    /// <summary>The servers of the store, with replicas that its address names.</summary>
    internal IEnumerable<IServer> Servers => _redis!.GetServers();

    /// <summary>The keys that match a pattern. A key may come twice.</summary>
    internal async IAsyncEnumerable<string> Keys(
        string pattern, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        foreach (var server in Servers.Where(server => server is { IsConnected: true, IsReplica: false }))
        {
            await foreach (var key in server.KeysAsync(pattern: pattern, pageSize: Page).WithCancellation(cancellation))
            {
                yield return key.ToString();
            }
        }
    }

    /// <summary>The fields of the server's INFO; empty if the server does not respond or does not allow it.</summary>
    public async Task<IReadOnlyDictionary<string, string>> Describe()
    {
        var described = new Dictionary<string, string>();
        try
        {
            var server = _redis!.GetServers().First(known => known.IsConnected);
            foreach (var field in (await server.InfoAsync()).SelectMany(section => section))
            {
                described[field.Key] = field.Value;
            }
        }
        catch (RedisException)
        {
            // Some servers do not allow INFO.
        }

        return described;
    }

    /// <summary>Waits until the required number of replicas have the earlier writes.</summary>
    /// <exception cref="TimeoutException">Too few have them. A failover of the store could lose them.</exception>
    public async Task Replicated()
    {
        if (replicas > 0
            && (int)await Database.ExecuteAsync("WAIT", replicas, (int)ReplicaTimeout.TotalMilliseconds) is var have
            && have < replicas)
        {
            throw new TimeoutException(
                $"{have} of {replicas} required replicas of the store have the write after "
                + $"{ReplicaTimeout.TotalSeconds} s. Check that the replicas run and follow the store, or lower "
                + "Cluster:StoreReplicas.");
        }
    }

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken) =>
        _redis = await ConnectionMultiplexer.ConnectAsync(options).WaitAsync(cancellationToken);

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _redis?.DisposeAsync() ?? ValueTask.CompletedTask;
}
