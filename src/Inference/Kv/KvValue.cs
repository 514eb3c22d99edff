namespace Herd.Inference.Kv;

/// <summary>
/// What is lost when a session's KV cache is dropped from where it is: the time to have it again times the likelihood that it
/// will be wanted. People who have not written for twice as long are half as likely to write in the next minute.
/// </summary>
internal static class KvValue
{
    /// <summary>Within this time all sessions are equally likely to be used again.</summary>
    private const double GraceSeconds = 10;

    public static double Compute(double rebuildSeconds, TimeSpan idle) =>
        rebuildSeconds * GraceSeconds / (GraceSeconds + Math.Max(idle.TotalSeconds, 0));
}
