namespace Herd.Grains.Hosting;

/// <summary>Grains of the other kind of process.</summary>
public static class GrainReach
{
    /// <summary>
    /// A grain to call. Orleans has none while no process of its kind is a member, and says so as if there could never be one;
    /// that a moment ago there was one is no fault of the caller.
    /// </summary>
    /// <exception cref="SiloUnavailableException">No process of its kind is a member now: one of <see cref="CallFailure"/>.</exception>
    public static TGrain GetReachableGrain<TGrain>(this IGrainFactory grains, string key)
        where TGrain : IGrainWithStringKey
    {
        try
        {
            return grains.GetGrain<TGrain>(key);
        }
        catch (ArgumentException e)
        {
            throw new SiloUnavailableException($"No process has {typeof(TGrain).Name} now.", e);
        }
    }
}
