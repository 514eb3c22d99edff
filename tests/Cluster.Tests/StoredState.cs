using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Herd.Contracts;
using StackExchange.Redis;

namespace Herd.Cluster.Tests;

/// <summary>What the processes of a cluster have stored, read without asking them.</summary>
internal static class StoredState
{
    private const string Tenant = "default";
    private const string Model = "smollm2-135m-instruct";

    /// <summary>Waits until a turn in the store satisfies a condition. The store may start meanwhile.</summary>
    /// <returns>The turn as JSON.</returns>
    public static async Task<string> WaitForStoredTurn(
        this HerdCluster cluster, string conversation, int index, Func<string, bool> holds)
    {
        await using var redis = await ConnectionMultiplexer.ConnectAsync($"{cluster.Store},abortConnect=false");
        var database = redis.GetDatabase();
        var field = string.Create(CultureInfo.InvariantCulture, $"turn:{index}");
        return await Poll.Until(Read, holds);

        async Task<string> Read()
        {
            try
            {
                return (await database.HashGetAsync($"herd:conversation:{Tenant}/{conversation}", field)).ToString();
            }
            catch (Exception e) when (e is RedisException or TimeoutException)
            {
                return "";
            }
        }
    }

    /// <summary>Waits until a node has the KV cache of a conversation on its disk.</summary>
    public static Task WaitForKvFile(this HerdCluster cluster, string node, string conversation)
    {
        var session = GrainKey.Session(node, Tenant, conversation, Model);
        var file = $"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(session)))}.kv";
        return Poll.Until(
            () => Task.FromResult(Directory.GetFiles(cluster.Home, file, SearchOption.AllDirectories)),
            files => files.Length > 0);
    }
}
