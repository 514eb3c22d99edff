using System.Globalization;
using System.Security.Cryptography;
using Herd.Grains.Conversations.Storage;
using StackExchange.Redis;

namespace Herd.Grains.Conversations.Deletions;

/// <summary>
/// The files of the store's servers: append-only files and dumps. They hold what was deleted until they are rewritten.
/// </summary>
internal sealed class StoreFiles(StoreConnection store, TimeProvider time)
{
    /// <summary>
    /// Bytes that are written to Garnet's log behind what was deleted. A server writes its latest block again, so what
    /// lies in that one cannot be erased yet.
    /// </summary>
    private const int Filler = 8 << 10;

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);

    /// <summary>Rewrites the files of every server of the store that this process is connected to.</summary>
    /// <returns>The reason why some files keep what was deleted; null if none does.</returns>
    /// <exception cref="RedisException">A server does not respond, or refuses.</exception>
    /// <exception cref="IOException">A server cannot write its files.</exception>
    public async Task<string?> Rewrite(CancellationToken cancellation)
    {
        var servers = store.Servers.Where(server => server.IsConnected).ToList();
        var replicas = 0;
        foreach (var server in servers)
        {
            var described = await Describe(server, "replication");
            replicas += Number(described, "connected_slaves");
            await (described.ContainsKey("store_current_safe_aof_address")
                ? RewriteGarnet(server, cancellation)
                : RewriteRedis(server, cancellation));
        }

        var reached = servers.Count(server => server.IsReplica);
        return reached < replicas
            ? $"{replicas - reached} of the store's replicas are not named in Cluster:Store, or do not respond"
            : null;
    }

    /// <summary>
    /// A checkpoint holds what there is. The log before it is no longer read; the embedded store erases it then.
    /// </summary>
    private async Task RewriteGarnet(IServer server, CancellationToken cancellation)
    {
        var until = Address(await Describe(server, "persistence"), "TailAddress") + Filler;
        await store.Database.StringSetAsync("herd:filler", RandomNumberGenerator.GetBytes(Filler));
        for (var wait = 0; Address(await Describe(server, "persistence"), "CommittedBeginAddress") < until; wait++)
        {
            // Another checkpoint, of a full log, may be under way. It ends soon, or is not enough.
            if (wait % 20 == 0)
            {
                await TryExecute(server, "BGSAVE");
            }

            await Task.Delay(Poll, time, cancellation);
        }
    }

    private async Task RewriteRedis(IServer server, CancellationToken cancellation)
    {
        var described = await Describe(server, "persistence");
        var appends = Number(described, "aof_enabled") == 1;
        if (appends)
        {
            await Run(server, "BGREWRITEAOF", "aof_last_bgrewrite_status", cancellation);
        }

        if (await DumpsAreOn(server, otherwise: !appends))
        {
            await Run(server, "BGSAVE", "rdb_last_bgsave_status", cancellation);
        }
    }

    /// <summary>
    /// Runs a rewrite that begins now, after one that is under way, and waits until it has ended.
    /// </summary>
    private async Task Run(IServer server, string command, string status, CancellationToken cancellation)
    {
        await WaitUntilIdle(server, cancellation);
        await server.ExecuteAsync(command);
        await WaitUntilIdle(server, cancellation);
        if ((await Describe(server, "persistence")).GetValueOrDefault(status) is not "ok")
        {
            throw new IOException($"{server.EndPoint}: {command} failed; the server's log has the reason");
        }
    }

    private async Task WaitUntilIdle(IServer server, CancellationToken cancellation)
    {
        string[] progress = ["aof_rewrite_in_progress", "aof_rewrite_scheduled", "rdb_bgsave_in_progress"];
        while (await Describe(server, "persistence") is var described
            && progress.Any(field => Number(described, field) != 0))
        {
            await Task.Delay(Poll, time, cancellation);
        }
    }

    /// <param name="server">The server.</param>
    /// <param name="otherwise">The answer if the server does not tell.</param>
    private static async Task<bool> DumpsAreOn(IServer server, bool otherwise)
    {
        try
        {
            return (await server.ConfigGetAsync("save")).FirstOrDefault().Value is { Length: > 0 };
        }
        catch (RedisServerException)
        {
            return otherwise;
        }
    }

    private static async Task TryExecute(IServer server, string command)
    {
        try
        {
            await server.ExecuteAsync(command);
        }
        catch (RedisServerException e) when (e.Message.Contains("progress", StringComparison.OrdinalIgnoreCase))
        {
            // The same is under way.
        }
    }

    private static async Task<Dictionary<string, string>> Describe(IServer server, string section) =>
        (await server.InfoAsync(section)).SelectMany(group => group)
            .ToDictionary(field => field.Key, field => field.Value);

    private static int Number(Dictionary<string, string> described, string field) => (int)Address(described, field);

    private static long Address(Dictionary<string, string> described, string field) =>
        long.TryParse(described.GetValueOrDefault(field), CultureInfo.InvariantCulture, out var number) ? number : 0;
}
