using StackExchange.Redis;

namespace Herd.Grains.Hosting;

/// <summary>
/// The address of a store, as Cluster:Store gives it: redis://HOST:PORT, rediss://HOST:PORT for TLS, or the form of
/// StackExchange.Redis, which has several addresses and options.
/// </summary>
internal static class StoreAddress
{
    private const string Plain = "redis://";
    private const string Tls = "rediss://";

    /// <exception cref="ArgumentException">It is no address, or it holds a user or a password.</exception>
    public static ConfigurationOptions Parse(string address)
    {
        var hasScheme = address.Contains("://", StringComparison.Ordinal);
        var isTls = address.StartsWith(Tls, StringComparison.OrdinalIgnoreCase);
        if (hasScheme && !isTls && !address.StartsWith(Plain, StringComparison.OrdinalIgnoreCase))
        {
            throw new ArgumentException("its scheme is neither redis nor rediss.");
        }

        // The user of redis://USER:PASSWORD@HOST.
        var hosts = hasScheme ? address[(isTls ? Tls : Plain).Length..].TrimEnd('/') : address;
        if (hasScheme && hosts.Contains('@', StringComparison.Ordinal))
        {
            throw HoldsSecrets();
        }

        var options = ConfigurationOptions.Parse(hosts);
        if (options is { Password: not null } or { User: not null })
        {
            throw HoldsSecrets();
        }

        options.Ssl |= isTls;
        return options.EndPoints.Count > 0 ? options : throw new ArgumentException("it names no host.");
    }

    private static ArgumentException HoldsSecrets() => new(
        "it holds a user or a password, and other users of a machine can read command lines. Write the password to a "
        + "file, name that by Cluster:StorePasswordFile, and give the user by Cluster:StoreUser.");
}
