namespace Herd.Grains.Scaling;

/// <summary>
/// Computes how many nodes a pool needs: so many that (1) the backlog, spread evenly, leaves the time to the first
/// token within its target; (2) the sequences fit the slots, whose cells are the KV cache in use; (3) idle sessions
/// keep their KV cache for the retention time. The scale-down threshold keeps the size from swinging. A pure function.
/// </summary>
internal static class ScalePolicy
{
    /// <summary>The share of the present size up to which Kubernetes' autoscaler ignores a change.</summary>
    private const double IgnoredStep = 0.1;

    /// <summary>The maximum growth in one step. Nodes that are loading take their part of the backlog soon.</summary>
    private const int MaxGrowth = 2;

    /// <summary>
    /// The minimum share of the target for queueing, because more nodes do not make a prompt shorter.
    /// </summary>
    private const double MinWaitShare = 0.25;

    public static int Wanted(PoolLoad load, PoolOptions pool, ScalingOptions options)
    {
        var enough = Need(load, pool, options, ease: 1);
        var easy = Need(load, pool, options, options.ScaleDownThreshold);
        var step = MinStep(load.Ready);
        var wanted = enough > load.Ready ? Math.Max(enough, load.Ready + step)
            : easy <= load.Ready - step ? easy
            : load.Ready;
        return Math.Clamp(wanted, pool.Min, pool.Max);
    }

    /// <summary>The smallest change that is larger than the ignored share.</summary>
    public static int MinStep(int nodes) => (int)(nodes * IgnoredStep) + 1;

    /// <param name="load">The load.</param>
    /// <param name="pool">The pool and its target.</param>
    /// <param name="options">The bounds.</param>
    /// <param name="ease">The share of the bounds to use.</param>
    private static int Need(PoolLoad load, PoolOptions pool, ScalingOptions options, double ease)
    {
        if (load.Ready == 0)
        {
            return load.Held > 0 ? 1 : 0;
        }

        var slots = load.Sequences * load.Ready / Math.Max(1, load.Slots * options.TargetUtilization * ease);
        var target = pool.TargetTtft.TotalSeconds;
        var wait = Math.Max(target - (pool.PromptTokens * load.PerToken), target * MinWaitShare);
        var backlog = load.Backlog / (wait * ease);
        var kept = options.KvRetention.TotalSeconds > load.ForgottenIdle * ease
            ? load.Ready * options.KvRetention.TotalSeconds / Math.Max(1, load.ForgottenIdle * ease)
            : 0;
        return (int)Math.Ceiling(Math.Min(Math.Max(Math.Max(slots, backlog), kept), MaxGrowth * load.Ready));
    }
}
