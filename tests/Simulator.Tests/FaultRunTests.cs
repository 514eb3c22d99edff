using System.Globalization;
using Herd.Testing;

namespace Herd.Simulator.Tests;

/// <summary>The simulator runs as its own process, since its thread pool is set up so that a run is a function of its seed.</summary>
public sealed class FaultRunTests
{
    /// <summary>Whatever fails and when, every answer is streamed and stored once and whole. bench/simulate faults runs more of them.</summary>
    [Fact]
    public async Task Faults_FiveHundredSeeds_NothingIsLostOrTorn()
    {
        var program = Path.Combine(Repository.Root, "artifacts", "bin", "Simulator", Repository.Configuration, "Herd.Simulator");

        var output = await Tool.Run(Repository.Root, program, "faults", "--seeds", "500");

        Assert.Contains(" 0 violations", output, StringComparison.Ordinal);
        Assert.True(int.Parse(output.Split(' ')[2], CultureInfo.InvariantCulture) > 2500, output);
    }
}
