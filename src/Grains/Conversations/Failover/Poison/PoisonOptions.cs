using Herd.Grains.Hosting.Configuration;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Conversations.Failover.Poison;

/// <summary>Turns that fail the nodes that compute them. Section "Poison".</summary>
public sealed class PoisonOptions
{
    public const string Section = "Poison";

    /// <summary>The time for which the content of a poison turn is refused, above 0. Default 10 min.</summary>
    public TimeSpan RefusalTime { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// The time for which a suspect turn waits for one of the nodes that it failed. If none is back by then, the turn
    /// is poison. Above 0. Default 30 s.
    /// </summary>
    public TimeSpan NodeReturnTimeout { get; set; } = TimeSpan.FromSeconds(30);
}

internal sealed class PoisonOptionsValidator : IValidateOptions<PoisonOptions>
{
    public ValidateOptionsResult Validate(string? name, PoisonOptions options)
    {
        var errors = new OptionErrors();
        errors.RequireAbove("Poison:RefusalTime", options.RefusalTime, TimeSpan.Zero);
        errors.RequireAbove("Poison:NodeReturnTimeout", options.NodeReturnTimeout, TimeSpan.Zero);
        return errors.ToResult();
    }
}
