using Herd.Grains.Hosting.Configuration;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Rebalancing;

/// <summary>The spread of idle sessions over the nodes. Section "Rebalance".</summary>
public sealed class RebalanceOptions
{
    public const string Section = "Rebalance";

    /// <summary>The time between two checks for sessions to move; 0 turns rebalancing off. Default 5 s.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// A node starts to give sessions away when it has this many times its share, above 1. Default 1.25.
    /// </summary>
    public double StartThreshold { get; set; } = 1.25;

    /// <summary>It stops at this many times its share; from 1 to <see cref="StartThreshold"/>. Default 1.1.</summary>
    public double StopThreshold { get; set; } = 1.1;

    /// <summary>The time for which a moved session is not moved again. Default 5 min.</summary>
    public TimeSpan Cooldown { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// The maximum number of sessions moved in a minute in the whole cluster, 1 or more. Default 120.
    /// </summary>
    public int MaxMovesPerMinute { get; set; } = 120;
}

internal sealed class RebalanceOptionsValidator : IValidateOptions<RebalanceOptions>
{
    public ValidateOptionsResult Validate(string? name, RebalanceOptions options)
    {
        var errors = new OptionErrors();
        errors.RequireAtLeast("Rebalance:Interval", options.Interval, TimeSpan.Zero);
        errors.RequireAbove("Rebalance:StartThreshold", options.StartThreshold, 1);
        errors.Require(
            options.StopThreshold >= 1 && options.StopThreshold <= options.StartThreshold,
            $"Set Rebalance:StopThreshold to a value from 1 to Rebalance:StartThreshold {options.StartThreshold}; "
            + $"found {options.StopThreshold}.");
        errors.RequireAtLeast("Rebalance:Cooldown", options.Cooldown, TimeSpan.Zero);
        errors.RequireAtLeast("Rebalance:MaxMovesPerMinute", options.MaxMovesPerMinute, 1);
        return errors.ToResult();
    }
}
