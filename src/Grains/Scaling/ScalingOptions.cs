using Herd.Grains.Hosting;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Scaling;

/// <summary>How many nodes are asked for. Section "Scaling". Without pools nothing is emptied and nothing held.</summary>
public sealed class ScalingOptions
{
    public const string Section = "Scaling";

    /// <summary>The pools whose size follows the load. Default none.</summary>
    public IList<PoolOptions> Pools { get; set; } = [];

    /// <summary>The share of its slots that a pool should use at most, above 0 and up to 1. Default 0.8.</summary>
    public double Fill { get; set; } = 0.8;

    /// <summary>
    /// A pool gives up a node when what is left would use at most this share of what it may use, above 0 and below 1. Less keeps it from
    /// swinging. Default 0.7.
    /// </summary>
    public double Ease { get; set; } = 0.7;

    /// <summary>How long fewer nodes must be enough before one is emptied. Default 5 min.</summary>
    public TimeSpan InAfter { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How long a session at rest should keep its KV cache, on whatever tier; where some are forgotten sooner, nodes are added. 0 asks for
    /// nothing. Default 10 min.
    /// </summary>
    public TimeSpan KeepFor { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a turn is held for the first node of a pool that is at zero. Default 10 min.</summary>
    public TimeSpan WakeTime { get; set; } = TimeSpan.FromMinutes(10);
}

/// <summary>A pool: the nodes that serve one model.</summary>
public sealed class PoolOptions
{
    /// <summary>The model's id.</summary>
    public string Model { get; set; } = "";

    /// <summary>The fewest nodes, 0 or more; with 0 it sleeps when nobody asks. Default 1.</summary>
    public int Min { get; set; } = 1;

    /// <summary>The most nodes. Default 8.</summary>
    public int Max { get; set; } = 8;

    /// <summary>The time to the first token that is to be kept, above zero. Default 2 s.</summary>
    public TimeSpan TargetTtft { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Tokens of a prompt that are usually to be computed, 1 or more. Default 256.</summary>
    public int PromptTokens { get; set; } = 256;
}

internal sealed class ScalingOptionsValidator : IValidateOptions<ScalingOptions>
{
    public ValidateOptionsResult Validate(string? name, ScalingOptions options)
    {
        var errors = new OptionErrors();
        errors.Require(options.Fill is > 0 and <= 1, $"Scaling:Fill {options.Fill} is not above 0 and up to 1.");
        errors.Require(options.Ease is > 0 and < 1, $"Scaling:Ease {options.Ease} is not above 0 and below 1.");
        errors.Require(options.InAfter >= TimeSpan.Zero, $"Scaling:InAfter {options.InAfter} is negative.");
        errors.Require(options.KeepFor >= TimeSpan.Zero, $"Scaling:KeepFor {options.KeepFor} is negative.");
        errors.Require(options.WakeTime > TimeSpan.Zero, $"Scaling:WakeTime {options.WakeTime} is not above zero.");
        for (var i = 0; i < options.Pools.Count; i++)
        {
            var (pool, path) = (options.Pools[i], $"Scaling:Pools:{i}");
            errors.Require(pool.Model.Length > 0, $"{path}:Model is empty; it is the id of the model that the pool's nodes serve.");
            errors.Require(
                options.Pools.Take(i).All(other => other.Model != pool.Model), $"{path}:Model '{pool.Model}' has a pool already.");
            errors.Require(pool.Min >= 0, $"{path}:Min {pool.Min} is negative.");
            errors.Require(pool.Max >= Math.Max(1, pool.Min), $"{path}:Max {pool.Max} is less than 1 or than Min {pool.Min}.");
            errors.Require(pool.TargetTtft > TimeSpan.Zero, $"{path}:TargetTtft {pool.TargetTtft} is not above zero.");
            errors.Require(pool.PromptTokens >= 1, $"{path}:PromptTokens {pool.PromptTokens} is not 1 or more.");
        }

        return errors.ToResult();
    }
}
