using StackExchange.Redis;

namespace Herd.Grains.Hosting;

/// <summary>What Orleans says when a call did not reach its grain, or its answer did not come back. Asked again, it may be elsewhere.</summary>
public static class CallFailure
{
    /// <summary>
    /// A directory that has just lost a member ends look-ups as cancelled though nobody has, and a grain that moves away aborts its
    /// enumerations: so whoever could have cancelled asks first whether it has. A look-up that needs the list of members ends as
    /// reading it did.
    /// </summary>
    public static bool IsTransient(Exception exception) =>
        exception is OrleansException or TimeoutException or EnumerationAbortedException or OperationCanceledException or RedisException;
}
