using System.Net;
using System.Text;
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

    /// <summary>
    /// The doctor checks real processes. It reports a store without a password, and a model that no
    /// catalog has.
    /// </summary>
    [Fact]
    public async Task Doctor_OfThisCluster_SaysWhatIsNotAsItShouldBe()
    {
        var result = await cluster.Run("doctor", "--json");

        Assert.Equal(0, result.ExitCode);
        var findings = JsonDocument.Parse(result.Output.TrimEnd().Split('\n')[^1]).RootElement
            .GetProperty("findings").EnumerateArray()
            .Where(finding => !IsSlow(finding))
            .Select(finding =>
                (finding.GetProperty("subject").GetString(), finding.GetProperty("severity").GetString())).ToList();
        Assert.Equal(
            [
                ("nodes", "SEVERITY_FINE"),
                ("versions", "SEVERITY_FINE"),
                ("clocks", "SEVERITY_FINE"),
                ("store", "SEVERITY_WARNING"),
                ("deletions", "SEVERITY_FINE"),
                ("encryption", "SEVERITY_FINE"),
                ("keys", "SEVERITY_FINE"),
                ("gpus", "SEVERITY_FINE"),
                ("models", "SEVERITY_WARNING"),
                ("turns", "SEVERITY_FINE"),
            ],
            findings.Where(finding => finding.Item1 is not ("cores" or "memory" or "disk")));
    }

    /// <summary>True if the store answers slowly, as it does on a busy machine.</summary>
    private static bool IsSlow(JsonElement finding) =>
        finding.GetProperty("found").GetString()!.StartsWith("It answers in", StringComparison.Ordinal);

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
        var load = await cluster.Run("load", "node-2", other, "--wait");
        Assert.True(load.ExitCode == 0, load.Error);
        Assert.EndsWith("node-2 serves other.\n", load.Output, StringComparison.Ordinal);
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
        var unload = await cluster.Run("unload", "node-2");
        await UntilModels("tiny");
        await LoadTheFirstAgain();

        Assert.Equal(HttpStatusCode.OK, answered.StatusCode);
        Assert.Equal((1, 0), (unknown.ExitCode, unload.ExitCode));
        Assert.StartsWith(
            "herd: The node 'node-2' may not load '/nowhere.gguf'.", unknown.Error, StringComparison.Ordinal);
        Assert.EndsWith("--wait waits for the end.\n", unload.Output, StringComparison.Ordinal);
    }

    /// <summary>What fails its check says so at once. The node drains nothing and serves on.</summary>
    [Fact]
    public async Task Load_FileThatFailsItsCheck_SaysSoAndChangesNothing()
    {
        var damaged = TinyModel.Write(cluster.NewPath("damaged.gguf"));
        await using (var file = File.OpenWrite(damaged))
        {
            file.SetLength(file.Length / 2);
        }

        var text = cluster.NewPath("text.gguf");
        await File.WriteAllTextAsync(text, "This is no model.", Cancellation);
        foreach (var (arguments, error) in new (string[], string)[]
        {
            (["node-2", damaged, "--wait"], "is not a sound GGUF file"),
            (["node-2", damaged], "is not a sound GGUF file"),
            (["node-2", text], "does not begin with 'GGUF'"),
            (["node-2", await Changed("alien.gguf", "llama", "alien")], "is none that llama.cpp"),
            (["node-2", TinyModel.Write(
                cluster.NewPath("experts.gguf"), change: model => model.Add("llama.expert_count", 7u))],
                "none of 7 experts is used"),
            (["node-2", cluster.NewPath("missing.gguf")], "There is no model"),
            (["node-2", "/etc/hostname"], "may not load"),
            (["node-2", "gpt-7"], "There is no model 'gpt-7'"),
            (["node-9", "tiny"], "There is no reachable node 'node-9'"),
        })
        {
            var load = await cluster.Run(["load", .. arguments]);
            Assert.Equal(1, load.ExitCode);
            Assert.Matches("^herd: [^\n]+\n$", load.Error);
            Assert.Contains(error, load.Error, StringComparison.Ordinal);
        }

        Assert.Equal(0, (await cluster.Run("doctor")).ExitCode);
        Assert.DoesNotContain(
            "Drained",
            File.ReadLines(Path.Combine(cluster.Home, "logs", "node-2.log")).SkipWhile(
                line => !line.Contains("text.gguf", StringComparison.Ordinal)).Aggregate("", (all, line) => all + line),
            StringComparison.Ordinal);
        await UntilModels("tiny");
    }

    /// <summary>A child process dies of the file; the node says so and serves on.</summary>
    [Fact]
    public async Task Load_FileThatEndsNativeCode_SaysSoAndTheNodeServesOn()
    {
        var path = TinyModel.Write(cluster.NewPath("killer.gguf"), change: RemoveAttention);
        var before = await cluster.Run("nodes", "--json");

        var load = await cluster.Run("load", "node-2", path);

        Assert.Equal(1, load.ExitCode);
        Assert.Matches(
            @"^herd: \S+killer.gguf ends the process that opens it \(a segmentation fault\): [^\n]+\n$", load.Error);
        Assert.Equal(ProcessIds(before.Output), ProcessIds((await cluster.Run("nodes", "--json")).Output));
        await UntilModels("tiny");
        var turn = await cluster.Converse(new ConverseRequest
        {
            ConversationId = await cluster.NewConversation(), Text = "still here?", MaxTokens = 4,
        });
        Assert.Equal(TurnState.Completed, turn.State);

        // A Phi-3 without the tensors of its attention: llama.cpp takes them for optional, and uses them.
        static void RemoveAttention(GgufWriter model)
        {
            model.SetArchitecture("llama", "phi3");
            foreach (var name in new[] { "attn_q.", "attn_k.", "attn_v.", "ffn_gate.", "ffn_up." })
            {
                model.RemoveTensors(name);
            }

            model.Add("blk.0.ffn_up.weight", new float[64 * 256], 64, 256);
            model.Add("blk.1.ffn_up.weight", new float[64 * 256], 64, 256);
        }

        static IEnumerable<int> ProcessIds(string nodes) =>
            JsonDocument.Parse(nodes).RootElement.EnumerateArray()
                .Select(node => node.GetProperty("process_id").GetInt32());
    }

    /// <summary>A broken chat template passes the check, which knows only that there is one.</summary>
    [Fact]
    public async Task Load_FailsAfterTheDrain_SaysSoAndTheDoctorTellsUntilItServesAgain()
    {
        var path = await Changed("odd.gguf", "{% endfor", "{% forend");

        var load = await cluster.Run("load", "node-2", path, "--wait");
        var doctor = await cluster.Run("doctor");
        var nodes = await cluster.Run("nodes");
        await LoadTheFirstAgain();

        Assert.Equal((1, 1), (load.ExitCode, doctor.ExitCode));
        Assert.StartsWith("herd: node-2 serves no model:", load.Error, StringComparison.Ordinal);
        Assert.Matches(@"ERROR +nodes +node-2 serves no model since \S+ \S+Z: the load of 'odd' failed", doctor.Output);
        Assert.Contains("failed to load odd", nodes.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await cluster.Run("doctor")).ExitCode);
    }

    /// <summary>The tiny model with a text replaced by another of the same length.</summary>
    private async Task<string> Changed(string name, string text, string other)
    {
        var path = TinyModel.Write(cluster.NewPath(name));
        var content = Encoding.Latin1.GetString(await File.ReadAllBytesAsync(path, Cancellation));
        await File.WriteAllBytesAsync(
            path, Encoding.Latin1.GetBytes(content.Replace(text, other, StringComparison.Ordinal)), Cancellation);
        return path;
    }

    private async Task LoadTheFirstAgain()
    {
        var load = await cluster.Run("load", "node-2", cluster.NewPath("tiny.gguf"), "--wait");
        Assert.True(load.ExitCode == 0, load.Error);
        await cluster.WaitForNodes(2);
    }

    private async Task UntilModels(params string[] models) => await Poll.Until(
        async () => await cluster.Conversations.ListModelsAsync(
            new ListModelsRequest(), AsAlice, cancellationToken: Cancellation),
        served => served.Models.Select(model => model.ModelId).SequenceEqual(models));
}
