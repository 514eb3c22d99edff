using Herd.Grains.Hosting.Configuration;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Scaling;

/// <summary>
/// The size of the pools, in nodes. Section "Scaling". Without pools no node is emptied and no turn is held.
/// </summary>
public sealed class ScalingOptions
{
    public const string Section = "Scaling";

    /// <summary>The pools whose size follows the load. Default none.</summary>
    public IList<PoolOptions> Pools { get; set; } = [];

    /// <summary>The share of its slots that a pool should use at most, above 0 and up to 1. Default 0.8.</summary>
    public double TargetUtilization { get; set; } = 0.8;

    /// <summary>
    /// A pool gives up a node when the remaining nodes would use at most this share of their targets, above 0 and below
    /// 1. A lower value keeps the size of the pool from swinging. Default 0.7.
    /// </summary>
    public double ScaleDownThreshold { get; set; } = 0.7;

    /// <summary>The time for which fewer nodes must be enough before one is emptied. Default 5 min.</summary>
    public TimeSpan ScaleDownDelay { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// The time for which an idle session should keep its KV cache, on any tier. Nodes are added where sessions lose it
    /// sooner. 0 adds none for this reason. Default 10 min.
    /// </summary>
    public TimeSpan KvRetention { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// The time for which a turn is held until the first node of a pool without nodes is ready. Default 10 min.
    /// </summary>
    public TimeSpan WakeTimeout { get; set; } = TimeSpan.FromMinutes(10);
}

/// <summary>A pool: the nodes that serve one model.</summary>
public sealed class PoolOptions
{
    /// <summary>The model's id.</summary>
    public string Model { get; set; } = "";

    /// <summary>The minimum number of nodes, 0 or more. With 0 the pool sleeps without load. Default 1.</summary>
    public int Min { get; set; } = 1;

    /// <summary>The maximum number of nodes, 1 or more. Default 8.</summary>
    public int Max { get; set; } = 8;

    /// <summary>The time to the first token that turns should have, above zero. Default 2 s.</summary>
    public TimeSpan TargetTtft { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>The usual number of prompt tokens to compute, 1 or more. Default 256.</summary>
    public int PromptTokens { get; set; } = 256;
}

internal sealed class ScalingOptionsValidator : IValidateOptions<ScalingOptions>
{
    public ValidateOptionsResult Validate(string? name, ScalingOptions options)
    {
        var errors = new OptionErrors();
        errors.Require(
            options.TargetUtilization is > 0 and <= 1,
            $"Set Scaling:TargetUtilization to a value above 0 and at most 1; found {options.TargetUtilization}.");
        errors.Require(
            options.ScaleDownThreshold is > 0 and < 1,
            $"Set Scaling:ScaleDownThreshold to a value above 0 and below 1; found {options.ScaleDownThreshold}.");
        errors.RequireAtLeast("Scaling:ScaleDownDelay", options.ScaleDownDelay, TimeSpan.Zero);
        errors.RequireAtLeast("Scaling:KvRetention", options.KvRetention, TimeSpan.Zero);
        errors.RequireAbove("Scaling:WakeTimeout", options.WakeTimeout, TimeSpan.Zero);
        for (var i = 0; i < options.Pools.Count; i++)
        {
            var (pool, path) = (options.Pools[i], $"Scaling:Pools:{i}");
            errors.Require(
                pool.Model.Length > 0, $"{path}:Model is empty. Give the id of the model that the pool's nodes serve.");
            errors.Require(
                options.Pools.Take(i).All(other => other.Model != pool.Model),
                $"{path}:Model '{pool.Model}' has a pool already. Give each model one pool.");
            errors.RequireAtLeast($"{path}:Min", pool.Min, 0);
            errors.RequireAtLeast($"{path}:Max", pool.Max, Math.Max(1, pool.Min));
            errors.RequireAbove($"{path}:TargetTtft", pool.TargetTtft, TimeSpan.Zero);
            errors.RequireAtLeast($"{path}:PromptTokens", pool.PromptTokens, 1);
        }

        return errors.ToResult();
    }
}
