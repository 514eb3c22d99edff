using System.Text.Json.Nodes;
using Herd.Testing;

namespace Herd.Simulator.Tests;

/// <summary>
/// bench/simulate faults. It runs as a process: its thread pool has one thread, so that a run is a function of its
/// seed.
/// </summary>
public sealed class FaultRunTests
{
    private static readonly string Program = Path.Combine(
        Repository.Root, "artifacts", "bin", "Simulator", Repository.Configuration, "Herd.Simulator");

    /// <summary>After every fault each answer is streamed and stored once and whole.</summary>
    [Fact]
    public async Task Faults_TwoHundredSeeds_NothingIsLostOrTorn()
    {
        // A run has one thread; two of them use both cores.
        var halves = await Task.WhenAll(Run(first: 0, seeds: 100), Run(first: 100, seeds: 100));

        Assert.All(halves, half => Assert.Empty(half["violations"]!.AsArray()));
        var (faults, continued, pulled) =
            (Sum(halves, "faults"), Sum(halves, "answers_continued"), Sum(halves, "kv_caches_pulled"));
        Assert.Equal(50, Sum(halves, "poison_turns_refused"));
        Assert.InRange(Sum(halves, "healthy_turns_refused"), 0, 15);
        Assert.True(faults > 2500 && continued > 500 && pulled > 250, string.Join<JsonObject>('\n', halves));
    }

    /// <summary>The same seed gives the same run.</summary>
    [Fact]
    public async Task Faults_SameSeeds_GoTheSameWay()
    {
        var runs = await Task.WhenAll(Run(first: 1000, seeds: 10), Run(first: 1000, seeds: 10));

        Assert.Equal(10, (int)runs[0]["seeds"]!);
        Assert.Equal(runs[0].ToJsonString(), runs[1].ToJsonString());
    }

    /// <returns>The figures, the last line of the output, without the duration.</returns>
    private static async Task<JsonObject> Run(int first, int seeds)
    {
        var output = await Tool.Run(
            Repository.Root, Program, "faults", "--first", $"{first}", "--seeds", $"{seeds}", "--json");
        var figures = JsonNode.Parse(output.TrimEnd().Split('\n')[^1])!.AsObject();
        Assert.True(figures.Remove("seconds"));
        return figures;
    }

    private static int Sum(JsonObject[] halves, string figure) => halves.Sum(half => (int)half[figure]!);
}
