using System.Globalization;
using System.Text.Json.Nodes;
using Herd.Gateway.Hosting;
using Herd.Grains.Routing;
using Herd.Simulator.Faults;

namespace Herd.Simulator.Admission;

/// <summary>The figures of <see cref="AdmissionRun"/>s.</summary>
internal static class AdmissionReport
{
    private static readonly TimeSpan MaxWait = new GatewayOptions().MaxPredictedWait;

    /// <summary>Runs every scene, and prints the errors of its predictions.</summary>
    public static JsonArray Predictions(
        IReadOnlyList<int> seeds, string? name, Setup setup, bool printsTurns)
    {
        Console.WriteLine("| scene | turns | TTFT p50 s | p99 s | error p50 | p90 |");
        Console.WriteLine("|---|---|---|---|---|---|");
        var scenes = new JsonArray();
        foreach (var scene in AdmissionScene.All.Where(scene => name is null || scene.Name == name))
        {
            var turns = seeds.SelectMany(seed => Run(scene, seed, MaxWait, taken: null, setup).Turns).ToList();
            var came = turns.Select(turn => turn.Came).Order().ToList();
            var errors = turns.Select(turn => PredictionError.Relative(turn.Estimate.FirstToken!.Value, turn.Came))
                .Order().ToList();
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {scene.Name} | {turns.Count} | {At(came, 0.5):0.000} | {At(came, 0.99):0.000} "
                    + $"| {At(errors, 0.5):0.00} | {At(errors, 0.9):0.00} |"));
            scenes.Add(new JsonObject
            {
                ["scene"] = scene.Name,
                ["turns"] = turns.Count,
                ["ttft_p50_seconds"] = At(came, 0.5),
                ["ttft_p99_seconds"] = At(came, 0.99),
                ["prediction_error_p50"] = At(errors, 0.5),
                ["prediction_error_p90"] = At(errors, 0.9),
            });
            foreach (var turn in printsTurns ? turns : [])
            {
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{turn.Turn}: {turn.Came:0.000} s came of {turn.Estimate}"));
            }
        }

        return scenes;
    }

    /// <summary>
    /// Runs a random load for each seed. For some of its refusals the same load is run again and the turn is taken: its
    /// first token must come later than a turn may wait.
    /// </summary>
    public static JsonObject Refusals(IReadOnlyList<int> seeds, TimeSpan maxWait, int tries, Setup setup)
    {
        int refused = 0, tried = 0, unjust = 0;
        var least = double.PositiveInfinity;
        foreach (var seed in tries > 0 ? seeds : [])
        {
            var count = Run(AdmissionScene.Any, seed, maxWait, taken: null, setup).Refused;
            refused += count;
            foreach (var taken in Enumerable.Range(0, count).Where(i => i % Math.Max(1, count / tries) == 0))
            {
                var turns = Run(AdmissionScene.Any, seed, maxWait, taken, setup).Turns;
                var came = turns.Single(turn => turn.WasRefused).Came;
                (tried, unjust) = (tried + 1, unjust + (came <= maxWait.TotalSeconds ? 1 : 0));
                least = Math.Min(least, came);
            }
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"\n{refused} turns were refused. {tried} of them were taken in a run of their own; {unjust} had their "
                + $"first token within {maxWait.TotalSeconds} s, the soonest after {least:0.000} s."));
        return new JsonObject
        {
            ["refused"] = refused,
            ["tried"] = tried,
            ["within_max_wait"] = unjust,
            ["soonest_seconds"] = double.IsFinite(least) ? least : null,
        };
    }

    private static (IReadOnlyList<AdmissionRun.Seen> Turns, int Refused) Run(
        AdmissionScene scene, int seed, TimeSpan maxWait, int? taken, Setup setup)
    {
        using var run = new AdmissionRun(scene, seed, maxWait, taken, setup);
        return (run.Run(), run.Refused);
    }

    private static double At(List<double> sorted, double share) =>
        sorted[Math.Min((int)(share * sorted.Count), sorted.Count - 1)];
}
