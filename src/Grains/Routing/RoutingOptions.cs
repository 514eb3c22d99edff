using Herd.Grains.Hosting;
using Herd.Grains.Routing.Policies;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Routing;

/// <summary>How turns find their node. Section "Routing".</summary>
public sealed class RoutingOptions
{
    public const string Section = "Routing";

    /// <summary>
    /// "predicted-ttft", or to compare with it "least-loaded", "power-of-two", "sticky-hash" or "round-robin". Default
    /// "predicted-ttft".
    /// </summary>
    public string Policy { get; set; } = "predicted-ttft";

    /// <summary>
    /// True pulls KV caches from other nodes. False replays the conversation instead, as balancers without KV transfer do; for
    /// comparisons. Default true.
    /// </summary>
    public bool PullsKv { get; set; } = true;

    /// <summary>What is drawn by lot is drawn from this seed. Default 0.</summary>
    public int Seed { get; set; }

    /// <summary>How long a node may be silent before it gets no work and its answers go on elsewhere, above 0. Default 1.5 s.</summary>
    public TimeSpan Silence { get; set; } = TimeSpan.FromSeconds(1.5);

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
            names.Contains(options.Policy), $"Routing:Policy '{options.Policy}' is none of {string.Join(", ", names)}.");
        errors.Require(options.Silence > TimeSpan.Zero, $"Routing:Silence {options.Silence} is not above zero.");
        return errors.ToResult();
    }
}
