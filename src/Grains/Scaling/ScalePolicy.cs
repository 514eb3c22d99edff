namespace Herd.Grains.Scaling;

/// <summary>
/// How many nodes a pool needs for what it has to do: so many that the backlog, spread evenly, leaves the time to the first token within
/// its target; that sequences fit the slots, whose cells are the KV cache in use; and that sessions at rest keep theirs for as long as they
/// should. Between adding a node and giving one up lies what keeps it from swinging. A pure function.
/// </summary>
internal static class ScalePolicy
{
    /// <summary>Kubernetes' autoscaler ignores changes of a tenth of what there is; steps are larger.</summary>
    private const double IgnoredStep = 0.1;

    /// <summary>At most so many times the nodes there are, since what is loading takes its part of the backlog soon.</summary>
    private const int MostGrowth = 2;

    /// <summary>Of the target, what may be spent on waiting in any case: more nodes do not make a prompt shorter.</summary>
    private const double LeastWait = 0.25;

    public static int Wanted(PoolLoad load, PoolOptions pool, ScalingOptions options)
    {
        var enough = Need(load, pool, options, ease: 1);
        var easy = Need(load, pool, options, options.ScaleDownThreshold);
        var step = LeastStep(load.Ready);
        var wanted = enough > load.Ready ? Math.Max(enough, load.Ready + step)
            : easy <= load.Ready - step ? easy
            : load.Ready;
        return Math.Clamp(wanted, pool.Min, pool.Max);
    }

    /// <summary>By how many nodes a pool has to change for the change to be carried out.</summary>
    public static int LeastStep(int nodes) => (int)(nodes * IgnoredStep) + 1;

    /// <param name="load">What there is to do.</param>
    /// <param name="pool">What is to be kept.</param>
    /// <param name="options">How full it may be.</param>
    /// <param name="ease">The share of all bounds that is to be used.</param>
    private static int Need(PoolLoad load, PoolOptions pool, ScalingOptions options, double ease)
    {
        if (load.Ready == 0)
        {
            return load.Held > 0 ? 1 : 0;
        }

        var slots = load.Sequences * load.Ready / Math.Max(1, load.Slots * options.TargetUtilization * ease);
        var target = pool.TargetTtft.TotalSeconds;
        var wait = Math.Max(target - (pool.PromptTokens * load.PerToken), target * LeastWait);
        var backlog = load.Backlog / (wait * ease);
        var kept = options.KvRetention.TotalSeconds > load.ForgottenIdle * ease
            ? load.Ready * options.KvRetention.TotalSeconds / Math.Max(1, load.ForgottenIdle * ease)
            : 0;
        return (int)Math.Ceiling(Math.Min(Math.Max(Math.Max(slots, backlog), kept), MostGrowth * load.Ready));
    }
}
