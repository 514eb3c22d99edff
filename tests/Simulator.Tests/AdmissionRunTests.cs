using System.Text.Json.Nodes;
using Herd.Testing;

namespace Herd.Simulator.Tests;

/// <summary>bench/simulate admission: what admission predicts, and what comes.</summary>
public sealed class AdmissionRunTests(AdmissionRunTests.Runs runs) : IClassFixture<AdmissionRunTests.Runs>
{
    /// <summary>
    /// Nine of ten predictions miss by less than this. Two scenes miss a half
    /// (docs/experiments/first-token-predictions.md says why).
    /// </summary>
    [Theory]
    [InlineData("chats beside long prompts", 0.5)]
    [InlineData("many users", 0.5)]
    [InlineData("full queue", 0.5)]
    [InlineData("warm sessions", 0.75)]
    [InlineData("tenants with long prompts", 0.75)]
    public void Predictions_Scene_AreNear(string scene, double error)
    {
        var run = runs.Scenes.Single(run => (string)run!["scene"]! == scene)!;

        Assert.True((double)run["prediction_error_p90"]! < error, $"{run}");
    }

    /// <summary>
    /// A refused turn is taken in another run of the same load. None has its first token within MaxPredictedWait.
    /// </summary>
    [Fact]
    public void Refusals_TurnIsTakenAllTheSame_WouldHaveWaitedLonger()
    {
        Assert.True((int)runs.Refusals["tried"]! > 5, $"{runs.Refusals}");
        Assert.Equal(0, (int)runs.Refusals["within_max_wait"]!);
    }

    /// <summary>The scenes and the refusals, on a core each.</summary>
    public sealed class Runs : IAsyncLifetime
    {
        private static readonly string Program = Path.Combine(
            Repository.Root, "artifacts", "bin", "Simulator", Repository.Configuration, "Herd.Simulator");

        public JsonArray Scenes { get; private set; } = [];

        public JsonNode Refusals { get; private set; } = new JsonObject();

        public async ValueTask InitializeAsync()
        {
            var scenes = Run("--seeds", "1", "--tries", "0");
            var refusals = Run("--seeds", "3", "--first", "10", "--scene", "none");
            Scenes = (await scenes)["scenes"]!.AsArray();
            Refusals = (await refusals)["refusals"]!;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private static async Task<JsonNode> Run(params string[] arguments)
        {
            var output = await Tool.Run(Repository.Root, Program, ["admission", "--json", .. arguments]);
            return JsonNode.Parse(output.TrimEnd().Split('\n')[^1])!;
        }
    }
}
