using System.Globalization;
using Herd.Testing;

namespace Herd.Cluster.Tests;

/// <summary>Every command in every failing situation ends with one line and an exit code, and no stack trace.</summary>
[Collection(nameof(TinyCluster))]
public sealed class CommandErrorTests(TinyCluster cluster)
{
    private static readonly string[][] ForConversations =
        [["fork", "conv_1"], ["why", "conv_1"], ["move", "conv_1"]];

    private static readonly string[][] ForNodes =
        [["drain", "node-9"], ["load", "node-9", "m"], ["unload", "node-9"]];

    private static readonly string[][] ThatList = [["nodes"], ["models"], ["conversations"], ["chat", "hello"]];

    private static readonly string[][] OfEachKind =
        [["nodes"], ["chat", "hello"], ["up", "--detach"], ["down"], ["chaos"]];

    public static TheoryData<string, int> Situations => new()
    {
        { "no cluster", 1 },
        { "no address", 2 },
        { "no key that can be sent", 2 },
        { "wrong key", 1 },
        { "nothing known", 1 },
        { "no list of processes", 1 },
        { "a list of another version", 1 },
        { "a list with holes", 1 },
        { "a folder for a list", 1 },
    };

    [Theory]
    [MemberData(nameof(Situations))]
    public async Task Command_FailingSituation_IsOneLineAndAnExitCode(string situation, int exitCode)
    {
        await using var home = new HerdCluster();
        Prepare(home, situation);
        string[][] commands = situation switch
        {
            "no cluster" or "wrong key" => [.. ThatList, .. ForConversations, .. ForNodes],
            "nothing known" => [.. ForConversations, .. ForNodes],
            "no address" or "no key that can be sent" => [ThatList[0], ThatList[^1], ForNodes[0]],
            _ => OfEachKind,
        };
        foreach (var command in commands)
        {
            var result = await home.Run(command);

            Assert.True(
                result.ExitCode == exitCode,
                $"{string.Join(' ', command)} ended with {result.ExitCode}: {result.Error}{result.Output}");
            Assert.Matches("^herd: [^\n]+\n$", result.Error);
            Assert.DoesNotMatch("   at |Exception|fault of Herd", result.Error);
        }

        // The list of processes must not keep the folder from being removed.
        home.RemoveState();
    }

    /// <summary>The doctor's findings are its output, also if it finds nothing but that.</summary>
    [Theory]
    [InlineData("no cluster")]
    [InlineData("wrong key")]
    public async Task Doctor_FailingSituation_IsAFinding(string situation)
    {
        await using var home = new HerdCluster();
        Prepare(home, situation);

        var doctor = await home.Run("doctor");

        Assert.Equal((1, ""), (doctor.ExitCode, doctor.Error));
        Assert.StartsWith("ERROR    gateway ", doctor.Output, StringComparison.Ordinal);
    }

    /// <summary>A full disk: what was started is stopped, and the next start finds no ruins.</summary>
    [Fact]
    public async Task Up_DiskIsFull_SaysSoAndStopsWhatItStarted()
    {
        await using var home = new HerdCluster();
        File.CreateSymbolicLink(home.NewPath("run.json.new"), "/dev/full");

        var up = await home.RunUp("--model", TinyModel.Write(home.NewPath("tiny.gguf")));

        Assert.Equal(1, up.ExitCode);
        Assert.Matches("^herd: [^\n]*No space left on device[^\n]*\n$", up.Error);
        Assert.False(File.Exists(home.NewPath("run.json")));
    }

    /// <summary>Of two that start at once one starts the cluster, and the other says so.</summary>
    [Fact]
    public async Task Up_TwiceAtOnce_OneStartsAndTheOtherSaysSo()
    {
        await using var home = new HerdCluster();
        var model = TinyModel.Write(home.NewPath("tiny.gguf"));

        var both = await Task.WhenAll(
            home.RunUp("--nodes", "1", "--model", model), home.RunUp("--nodes", "1", "--model", model));
        var down = await home.Run("down");

        Assert.Equal([0, 1], both.Select(up => up.ExitCode).Order());
        Assert.StartsWith(
            "herd: another 'herd up' or 'herd down' starts or stops the cluster of ",
            both.Single(up => up.ExitCode == 1).Error,
            StringComparison.Ordinal);
        Assert.Equal("Stopped store, node-1, gateway-1.\n", down.Output);
    }

    [Fact]
    public async Task Chaos_NodeCannotStart_IsOneLine()
    {
        await using var home = new HerdCluster();
        home.SetEnvironment("Node__MaxQueued", "-1");

        var chaos = await home.Run("chaos", "--minutes", "0.1", "--scene", "calm");

        Assert.Equal(1, chaos.ExitCode);
        Assert.Matches(@"^herd: node-\d has ended: [^\n]*Node:MaxQueued[^\n]*\n$", chaos.Error);
        Assert.False(File.Exists(home.NewPath("run.json")));
    }

    [Theory]
    [InlineData("--minutes", "0")]
    [InlineData("--minutes", "NaN")]
    [InlineData("--conversations", "-1")]
    [InlineData("--answer-tokens", "0")]
    public async Task Chaos_BadNumber_IsRefused(string option, string value)
    {
        await using var home = new HerdCluster();

        var chaos = await home.Run("chaos", option, value);

        Assert.NotEqual(0, chaos.ExitCode);
        Assert.Contains(option, chaos.Error, StringComparison.Ordinal);
    }

    private void Prepare(HerdCluster home, string situation)
    {
        var closed = $"http://127.0.0.1:{Ports.Free().ToString(CultureInfo.InvariantCulture)}";
        void Address(string calls, string admin)
        {
            home.SetEnvironment("HERD_GATEWAY", calls);
            home.SetEnvironment("HERD_ADMIN", admin);
        }

        void Keys(string key, string adminKey)
        {
            home.SetEnvironment("HERD_API_KEY", key);
            home.SetEnvironment("HERD_ADMIN_KEY", adminKey);
        }

        var grpc = $"http://127.0.0.1:{cluster.GrpcPort.ToString(CultureInfo.InvariantCulture)}";
        var admin = "http://127.0.0.1:"
            + cluster.Port("gateway-1", "--Gateway:AdminPort").ToString(CultureInfo.InvariantCulture);
        var list = home.NewPath("run.json");
        switch (situation)
        {
            case "no cluster":
                Address(closed, closed);
                break;
            case "no address":
                Address("nonsense", "nonsense");
                break;
            case "no key that can be sent":
                Address(grpc, admin);
                Keys("two\nlines", "two\nlines");
                break;
            case "wrong key":
                Address(grpc, admin);
                Keys("wrong", "wrong");
                break;
            case "nothing known":
                Address(grpc, admin);
                Keys(TinyCluster.Alice, TinyCluster.Operator);
                break;
            case "no list of processes":
                File.WriteAllText(list, "{");
                break;
            case "a list of another version":
                File.Copy(cluster.NewPath("run.json"), list);
                File.WriteAllText(list, File.ReadAllText(list).Replace(
                    "\"version\": 1", "\"version\": 99", StringComparison.Ordinal));
                break;
            case "a list with holes":
                File.WriteAllText(list, """{"version":1,"plan":null,"processes":null}""");
                break;
            default:
                Directory.CreateDirectory(list);
                break;
        }
    }
}
