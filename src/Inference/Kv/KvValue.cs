namespace Herd.Inference.Kv;

/// <summary>
/// The value of a session's KV cache on a tier: the time to rebuild it times the likelihood that it is used again. A
/// user who has been idle for twice as long is half as likely to write in the next minute.
/// </summary>
internal static class KvValue
{
    /// <summary>Within this time all sessions are equally likely to be used again.</summary>
    private const double GraceSeconds = 10;

    public static double Compute(double rebuildSeconds, TimeSpan idle) =>
        rebuildSeconds * GraceSeconds / (GraceSeconds + Math.Max(idle.TotalSeconds, 0));
}
