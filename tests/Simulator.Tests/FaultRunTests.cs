using System.Globalization;
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

        Assert.All(halves, output => Assert.Contains(" 0 violations", output, StringComparison.Ordinal));
        var (faults, continued, pulled) =
            (Sum(halves, "faults"), Sum(halves, "answers continued"), Sum(halves, "KV caches pulled"));
        Assert.True(faults > 2500 && continued > 500 && pulled > 300, string.Concat(halves));
    }

    /// <summary>The same seed gives the same run.</summary>
    [Fact]
    public async Task Faults_SameSeeds_GoTheSameWay()
    {
        var runs = await Task.WhenAll(Run(first: 1000, seeds: 10), Run(first: 1000, seeds: 10));

        Assert.Equal(Figures(runs[0]), Figures(runs[1]));
    }

    private static Task<string> Run(int first, int seeds) =>
        Tool.Run(Repository.Root, Program, "faults", "--first", $"{first}", "--seeds", $"{seeds}");

    private static int Sum(string[] outputs, string what) => outputs.Sum(output => Count(output, what));

    private static int Count(string output, string what) =>
        int.Parse(
            Figures(output).Single(figure => figure.EndsWith($" {what}", StringComparison.Ordinal)).Split(' ')[0],
            CultureInfo.InvariantCulture);

    /// <summary>The figures of the last line without its duration.</summary>
    private static string[] Figures(string output) => output.TrimEnd().Split('\n')[^1].Split(", ")[..^1];
}
