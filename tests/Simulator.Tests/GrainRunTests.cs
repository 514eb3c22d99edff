using System.Text.Json.Nodes;
using Herd.Testing;

namespace Herd.Simulator.Tests;

/// <summary>bench/simulate scale --grains, with twenty nodes.</summary>
public sealed class GrainRunTests
{
    private static readonly string Program = Path.Combine(
        Repository.Root, "artifacts", "bin", "Simulator", Repository.Configuration, "Herd.Simulator");

    /// <summary>
    /// One of twenty nodes is killed under load. Every turn is answered, and most of the history is cached.
    /// </summary>
    [Fact]
    public async Task Scale_RealGrainsUnderLoad_AnswerAllTurnsTheSameWayEachTime()
    {
        var runs = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Tool.Run(
            Repository.Root,
            Program,
            "scale",
            "--grains",
            "--nodes",
            "20",
            "--conversations",
            "200",
            "--policy",
            "predicted-ttft",
            "--json")));

        var figures = JsonNode.Parse(runs[0].TrimEnd().Split('\n')[^1])!["policies"]![0]!;
        var (turns, cached, pulled) = (
            (int)figures["turns"]!, (double)figures["history_cached_share"]!, (int)figures["turns_pulled"]!);
        Assert.True(turns > 600 && cached > 0.8 && pulled > 20, runs[0]);
        Assert.Equal(runs[0], runs[1]);
    }
}
