using System.Collections.Concurrent;
using Herd.Grains.Conversations.Storage;
using StackExchange.Redis;

namespace Herd.Gateway.Tenants;

/// <summary>
/// Gives the store the limits of tenants on stored bytes. Writes keep them there, in one step with what they store.
/// </summary>
internal sealed class StoredBytes(IByteLimits limits)
{
    private readonly ConcurrentDictionary<string, long?> _given = new();

    /// <summary>Gives the store a tenant's limit, if this gateway has not yet or it has changed.</summary>
    public async Task Give(Tenant tenant)
    {
        var limit = tenant.Limits.StoredBytes;
        if (_given.TryGetValue(tenant.Name, out var given) && given == limit)
        {
            return;
        }

        try
        {
            await limits.SetLimit(tenant.Name, limit);
            _given[tenant.Name] = limit;
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            // The store takes no write either, until it responds again.
        }
    }
}
