using StackExchange.Redis;

namespace Herd.Grains.Hosting;

/// <summary>
/// Failures of calls that did not reach their grain, or whose reply was lost. A second call may reach the grain
/// elsewhere.
/// </summary>
public static class CallFailure
{
    /// <summary>
    /// True if a second call may succeed. A directory that has just lost a member cancels look-ups on its own, and a
    /// grain that moves aborts its enumerations. So a caller that can cancel checks first whether it did. A look-up
    /// that reads the members fails as the store does. An activation or a process that ends disposes what its calls
    /// use.
    /// </summary>
    public static bool IsTransient(Exception exception) =>
        exception is OrleansException or TimeoutException or EnumerationAbortedException or OperationCanceledException
            or RedisException or ObjectDisposedException;
}
