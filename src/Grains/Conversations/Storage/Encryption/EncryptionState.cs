using System.Globalization;
using StackExchange.Redis;

namespace Herd.Grains.Conversations.Storage.Encryption;

/// <summary>The result of the latest pass of key rotation, in a hash of the store: docs/stored-state.md.</summary>
/// <param name="Key">The name of the first key at that time; empty before the first pass.</param>
/// <param name="At">The time of the pass; null before the first.</param>
/// <param name="Done">Conversations that it encrypted anew.</param>
/// <param name="Failed">Conversations that it could not read or write.</param>
public sealed record EncryptionState(string Key, DateTimeOffset? At, int Done, int Failed)
{
    private const string Hash = "herd:encryption";

    /// <summary>True if all that is stored is encrypted with a key.</summary>
    public bool IsComplete(string key) => key.Length > 0 && Key == key && Done == 0 && Failed == 0;

    /// <exception cref="RedisException">The store does not respond.</exception>
    public static async Task<EncryptionState> Read(IDatabase database)
    {
        var fields = await database.HashGetAsync(Hash, ["key", "at", "done", "failed"]);
        return new EncryptionState(
            fields[0].ToString(),
            (long?)fields[1] is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null,
            (int?)fields[2] ?? 0,
            (int?)fields[3] ?? 0);
    }

    internal static Task Write(IDatabase database, EncryptionState state) => database.HashSetAsync(
        Hash,
        [
            new HashEntry("key", state.Key),
            new HashEntry("at", state.At!.Value.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture)),
            new HashEntry("done", state.Done),
            new HashEntry("failed", state.Failed),
        ]);
}
