using Herd.Grains.Hosting;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Rebalancing;

/// <summary>How sessions at rest are spread. Section "Rebalance".</summary>
public sealed class RebalanceOptions
{
    public const string Section = "Rebalance";

    /// <summary>How often it is looked whether something is to be moved; 0 means never. Default 5 s.</summary>
    public TimeSpan Every { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>A node gives sessions up when it has this many times its share, above 1. Default 1.25.</summary>
    public double Begin { get; set; } = 1.25;

    /// <summary>And goes on until it has this many times its share; from 1 to <see cref="Begin"/>. Default 1.1.</summary>
    public double End { get; set; } = 1.1;

    /// <summary>How long a session that was moved stays. Default 5 min.</summary>
    public TimeSpan Rest { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Most sessions moved in a minute in the whole cluster, 1 or more. Default 120.</summary>
    public int MostPerMinute { get; set; } = 120;
}

internal sealed class RebalanceOptionsValidator : IValidateOptions<RebalanceOptions>
{
    public ValidateOptionsResult Validate(string? name, RebalanceOptions options)
    {
        var errors = new OptionErrors();
        errors.Require(options.Every >= TimeSpan.Zero, $"Rebalance:Every {options.Every} is negative.");
        errors.Require(options.Begin > 1, $"Rebalance:Begin {options.Begin} is not above 1.");
        errors.Require(
            options.End >= 1 && options.End <= options.Begin, $"Rebalance:End {options.End} is not from 1 to Rebalance:Begin {options.Begin}.");
        errors.Require(options.Rest >= TimeSpan.Zero, $"Rebalance:Rest {options.Rest} is negative.");
        errors.Require(options.MostPerMinute >= 1, $"Rebalance:MostPerMinute {options.MostPerMinute} is not 1 or more.");
        return errors.ToResult();
    }
}
