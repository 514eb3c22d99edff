using System.Net;
using System.Text.Json;
using Herd.Testing;
using Herd.V1;
using static Herd.Cluster.Tests.TinyCluster;

namespace Herd.Cluster.Tests;

/// <summary>Commands of operators: the doctor, and nodes that change their model.</summary>
[Collection(nameof(TinyCluster))]
public sealed class OperatorTests(TinyCluster cluster)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>The doctor checks real processes. It reports a model that no catalog has.</summary>
    [Fact]
    public async Task Doctor_OfThisCluster_SaysWhatIsNotAsItShouldBe()
    {
        var result = await cluster.Run("doctor", "--json");

        Assert.Equal(0, result.ExitCode);
        var findings = JsonDocument.Parse(result.Output.TrimEnd().Split('\n')[^1]).RootElement
            .GetProperty("findings").EnumerateArray()
            .Select(finding =>
                (finding.GetProperty("subject").GetString(), finding.GetProperty("severity").GetString())).ToList();
        Assert.Equal(
            [
                ("nodes", "SEVERITY_FINE"),
                ("versions", "SEVERITY_FINE"),
                ("clocks", "SEVERITY_FINE"),
                ("store", "SEVERITY_FINE"),
                ("keys", "SEVERITY_FINE"),
                ("gpus", "SEVERITY_FINE"),
                ("models", "SEVERITY_WARNING"),
            ],
            findings.Where(finding => finding.Item1 is not ("cores" or "memory" or "disk")));
    }

    /// <summary>A node changes its model while others go on. Its conversations move away first.</summary>
    [Fact]
    public async Task Load_AnotherModel_ServesItAndGoesBack()
    {
        var conversations = new List<string>();
        for (var i = 0; i < 8; i++)
        {
            conversations.Add(await cluster.NewConversation());
            await cluster.Converse(
                new ConverseRequest { ConversationId = conversations[i], Text = $"number {i}", MaxTokens = 4 });
        }

        var other = TinyModel.Write(cluster.NewPath("other.gguf"));
        Assert.Equal(0, (await cluster.Run("load", "node-2", other)).ExitCode);
        await UntilModels("other", "tiny");
        using var answered =
            await cluster.Complete("""{"model":"other","max_tokens":4,"messages":[{"role":"user","content":"hi"}]}""");
        foreach (var conversation in conversations)
        {
            var turn = await cluster.Converse(
                new ConverseRequest { ConversationId = conversation, Text = "still here?", MaxTokens = 4 });
            Assert.Equal(("node-1", TurnState.Completed), (turn.Node, turn.State));
        }

        var unknown = await cluster.Run("load", "node-2", "/nowhere.gguf");
        Assert.Equal(0, (await cluster.Run("unload", "node-2")).ExitCode);
        await UntilModels("tiny");
        Assert.Equal(0, (await cluster.Run("load", "node-2", cluster.NewPath("tiny.gguf"))).ExitCode);
        await cluster.WaitForNodes(2);

        Assert.Equal(HttpStatusCode.OK, answered.StatusCode);
        Assert.Contains("no model '/nowhere.gguf'", unknown.Error, StringComparison.Ordinal);
    }

    private async Task UntilModels(params string[] models) => await Poll.Until(
        async () => await cluster.Conversations.ListModelsAsync(
            new ListModelsRequest(), AsAlice, cancellationToken: Cancellation),
        served => served.Models.Select(model => model.ModelId).SequenceEqual(models));
}
