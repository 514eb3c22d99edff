using Microsoft.Extensions.Hosting;
using StackExchange.Redis;

namespace Herd.Grains.Conversations.Storage;

/// <summary>
/// The connection to the store, made while the process starts. Made by the first who needs it, it would hold up a thread
/// for each conversation of the first burst, and the connecting itself waits for one: 12 s were seen.
/// </summary>
/// <remarks>A store that is away at the start is no error: the connection is made when it comes.</remarks>
/// <param name="options">Where it is.</param>
/// <param name="replicas">How many replicas must have a write before it counts.</param>
public sealed class StoreConnection(ConfigurationOptions options, int replicas = 0) : IHostedService, IAsyncDisposable
{
    private static readonly TimeSpan ReplicaPatience = TimeSpan.FromSeconds(1);

    private ConnectionMultiplexer? _redis;

    /// <exception cref="InvalidOperationException">Asked for before <see cref="StartAsync"/> has ended.</exception>
    public IDatabase Database => (_redis ?? throw new InvalidOperationException("The process has not started.")).GetDatabase();

    /// <summary>What the store's server says of itself, by field; empty when it says nothing, or may not.</summary>
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
            // Some let nobody ask.
        }

        return described;
    }

    /// <summary>Waits until what was written before is with as many replicas as it takes.</summary>
    /// <exception cref="TimeoutException">It is not; a store that fails over now may forget it.</exception>
    public async Task Replicated()
    {
        if (replicas > 0
            && (int)await Database.ExecuteAsync("WAIT", replicas, (int)ReplicaPatience.TotalMilliseconds) is var have
            && have < replicas)
        {
            throw new TimeoutException($"Of {replicas} replicas of the store {have} have the write.");
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
