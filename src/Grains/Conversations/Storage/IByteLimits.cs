namespace Herd.Grains.Conversations.Storage;

/// <summary>The limits of stored bytes that writes keep, for all gateways.</summary>
public interface IByteLimits
{
    /// <summary>Sets a tenant's limit of bytes of stored conversations; null means none.</summary>
    /// <exception cref="StackExchange.Redis.RedisException">The store does not respond.</exception>
    Task SetLimit(string tenant, long? bytes);
}
