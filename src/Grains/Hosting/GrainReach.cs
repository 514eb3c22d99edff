namespace Herd.Grains.Hosting;

/// <summary>Calls of grains that live on the other kind of process.</summary>
public static class GrainReach
{
    /// <summary>
    /// A grain to call. While no process of its kind is a member, Orleans throws as if the caller had named a wrong
    /// type. The caller gets a transient failure instead.
    /// </summary>
    /// <exception cref="SiloUnavailableException">
    /// No process of the grain's kind is a member now. It is transient (<see cref="CallFailure"/>).
    /// </exception>
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
