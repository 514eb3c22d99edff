using Herd.Grains.Hosting.Configuration;
using Herd.Grains.Routing.Policies;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Routing;

/// <summary>The choice of the node of a turn. Section "Routing".</summary>
public sealed class RoutingOptions
{
    public const string Section = "Routing";

    /// <summary>
    /// The policy: "predicted-ttft", or for comparisons "least-loaded", "power-of-two", "sticky-hash" or "round-robin".
    /// Default "predicted-ttft".
    /// </summary>
    public string Policy { get; set; } = "predicted-ttft";

    /// <summary>
    /// True pulls KV caches from other nodes. False replays the conversation instead, as balancers without KV transfer
    /// do; for comparisons. Default true.
    /// </summary>
    public bool PullsKv { get; set; } = true;

    /// <summary>The seed of random choices. Default 0.</summary>
    public int Seed { get; set; }

    /// <summary>The time without a report after which a node counts as failed, above 0. Default 1.5 s.</summary>
    public TimeSpan ReportTimeout { get; set; } = TimeSpan.FromSeconds(1.5);

    internal static IReadOnlyList<IRoutingPolicy> Policies(int seed) =>
        [new PredictedTtft(), new LeastLoaded(), new PowerOfTwo(new Random(seed)), new StickyHash(), new RoundRobin()];

    internal IRoutingPolicy ToPolicy() => Policies(Seed).First(policy => policy.Name == Policy);
}

internal sealed class RoutingOptionsValidator : IValidateOptions<RoutingOptions>
{
    public ValidateOptionsResult Validate(string? name, RoutingOptions options)
    {
        var names = RoutingOptions.Policies(seed: 0).Select(policy => policy.Name).ToList();
        var errors = new OptionErrors();
        errors.Require(
            names.Contains(options.Policy),
            $"Routing:Policy '{options.Policy}' is unknown. The policies are {string.Join(", ", names)}.");
        errors.RequireAbove("Routing:ReportTimeout", options.ReportTimeout, TimeSpan.Zero);
        return errors.ToResult();
    }
}
