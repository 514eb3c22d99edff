using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Herd.Testing;

namespace Herd.Cluster.Tests;

/// <summary>The errors of the command. A command that fails leaves nothing behind.</summary>
public sealed class CommandTests : IAsyncDisposable
{
    private readonly HerdCluster _cluster = new();

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task Up_UnknownModel_SaysWhichThereAre()
    {
        var up = await _cluster.RunUp("--model", "gpt-7");

        Assert.Equal(2, up.ExitCode);
        Assert.StartsWith("herd: There is no model 'gpt-7'", up.Error, StringComparison.Ordinal);
        AssertNothingRuns();
    }

    [Fact]
    public async Task Up_PortTaken_SaysWhich()
    {
        using var listener = new TcpListener(IPAddress.Loopback, _cluster.HttpPort);
        listener.Start();

        var up = await _cluster.RunUp();

        Assert.Equal(
            (2, $"herd: port {_cluster.HttpPort} is taken; choose another with --http or --grpc.\n"),
            (up.ExitCode, up.Error));
        AssertNothingRuns();
    }

    [Theory]
    [InlineData("--nodes", "0")]
    [InlineData("--nodes", "many")]
    [InlineData("--slots", "257")]
    [InlineData("--what", "1")]
    public async Task Up_BadOption_IsRefused(string option, string value)
    {
        var up = await _cluster.RunUp(option, value);

        Assert.NotEqual(0, up.ExitCode);
        Assert.Contains(option, up.Error, StringComparison.Ordinal);
        AssertNothingRuns();
    }

    [Fact]
    public async Task Up_DamagedModel_SaysWhyAndStopsWhatItStarted()
    {
        var path = TinyModel.Write(_cluster.NewPath("cut.gguf"));
        await using (var file = File.OpenWrite(path))
        {
            file.SetLength(file.Length / 2);
        }

        var up = await _cluster.RunUp("--model", path);

        Assert.Equal(1, up.ExitCode);
        Assert.Matches(
            $@"^herd: node-[12] has ended: This node cannot serve: {path} is not a sound GGUF file: at byte .*\n$",
            up.Error);
        AssertNothingRuns();
    }

    [Fact]
    public async Task Silo_WrongHash_RefusesToLoad()
    {
        var path = TinyModel.Write(_cluster.NewPath("tiny.gguf"));
        var catalog = _cluster.NewPath("catalog.json");
        var wrong = new string('0', 64);
        await File.WriteAllTextAsync(
            catalog,
            $$"""{"version":1,"models":[{"id":"tiny","file":"{{path}}","sha256":"{{wrong}}","context_length":"""
                + $$"""1,"licence":"none","source":"none","sampling":{} }]}""",
            TestContext.Current.CancellationToken);
        var key = _cluster.NewPath("key");
        await File.WriteAllBytesAsync(key, new byte[32], TestContext.Current.CancellationToken);
        await using var store = await StoreProcess.StartGarnet();
        using var silo = Process.Start(new ProcessStartInfo(
            Path.Combine(Repository.Root, "artifacts", "bin", "Silo", Repository.Configuration, "Herd.Silo"),
            [
                "--Cluster:Name=node-1", $"--Cluster:Store={store.Address}", $"--Cluster:KeyFile={key}",
                $"--Cluster:SiloPort={Ports.Free()
                    .ToString(CultureInfo.InvariantCulture)}", "--Node:Model=tiny", $"--Node:Catalog={catalog}",
            ]) { RedirectStandardOutput = true })!;

        var output = await silo.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await silo.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(3, silo.ExitCode);
        Assert.Contains($"expected {wrong}", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Cluster:SiloPort")]
    [InlineData("Node:Slots")]
    public async Task Silo_SettingThatIsNoNumber_IsAnErrorOfOneLine(string setting)
    {
        var key = _cluster.NewPath("key");
        await File.WriteAllBytesAsync(key, new byte[32], TestContext.Current.CancellationToken);
        using var silo = Process.Start(new ProcessStartInfo(
            Path.Combine(Repository.Root, "artifacts", "bin", "Silo", Repository.Configuration, "Herd.Silo"),
            ["--Cluster:Name=node-1", $"--Cluster:KeyFile={key}", "--Node:Model=tiny", $"--{setting}=many"])
            {
                RedirectStandardError = true,
            })!;

        var error = await silo.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await silo.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(2, silo.ExitCode);
        Assert.Matches($"^[^\n]*'many' at '{setting}'[^\n]*\n$", error);
    }

    [Fact]
    public async Task Up_OtherSettingsThanRun_IsRefusedAndDownStopsAll()
    {
        var model = TinyModel.Write(_cluster.NewPath("tiny.gguf"));
        await _cluster.Up("--model", model, "--nodes", "1");

        var other = await _cluster.RunUp("--model", model, "--nodes", "1", "--slots", "4");
        var both = await _cluster.RunUp("--model", model, "--nodes", "2", "--gateways", "2");
        var down = await _cluster.Run("down");

        Assert.Equal((2, 2), (other.ExitCode, both.ExitCode));
        Assert.Contains("herd down", other.Error, StringComparison.Ordinal);
        Assert.Equal("Stopped store, node-1, gateway-1.\n", down.Output);
        AssertNothingRuns();
    }

    [Fact]
    public async Task Up_MoreNodesThanRun_AddsThem()
    {
        var model = TinyModel.Write(_cluster.NewPath("tiny.gguf"));
        await _cluster.Up("--model", model, "--nodes", "1");
        var first = _cluster.Pid("node-1");

        await _cluster.Up("--model", model, "--nodes", "2");

        await _cluster.WaitForNodes(2);
        Assert.Equal(first, _cluster.Pid("node-1"));
        Assert.Equal("Stopped store, node-1, gateway-1, node-2.\n", (await _cluster.Run("down")).Output);
        AssertNothingRuns();
    }

    [Fact]
    public async Task Up_Interrupted_StopsWhatItStarted()
    {
        var model = TinyModel.Write(_cluster.NewPath("tiny.gguf"));
        using var up = _cluster.Start(
            "up", "--nodes", "1", "--model", model, "--context", "512",
                "--http",
                _cluster.HttpPort.ToString(CultureInfo.InvariantCulture),
                "--grpc",
                _cluster.GrpcPort.ToString(CultureInfo.InvariantCulture));
        while (await up.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line
            && !line.StartsWith("Ctrl-C", StringComparison.Ordinal))
        {
        }

        using var interrupt = Process.Start("kill", ["-INT", up.Id.ToString(CultureInfo.InvariantCulture)]);
        await up.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(130, up.ExitCode);
        AssertNothingRuns();
    }

    [Fact]
    public async Task Chat_NoCluster_SaysHowToStartOne()
    {
        _cluster.SetEnvironment("HERD_GATEWAY", $"http://127.0.0.1:{_cluster.GrpcPort}");

        var chat = await _cluster.Run("chat", "hello");

        Assert.Equal(1, chat.ExitCode);
        Assert.Contains("herd up", chat.Error, StringComparison.Ordinal);
    }

    private void AssertNothingRuns()
    {
        Assert.False(File.Exists(Path.Combine(_cluster.Home, "run.json")));
        foreach (var folder in Directory.GetDirectories("/proc")
            .Where(folder => int.TryParse(Path.GetFileName(folder), out _)))
        {
            try
            {
                Assert.DoesNotContain(
                    _cluster.Home, File.ReadAllText(Path.Combine(folder, "environ")), StringComparison.Ordinal);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The process has ended, or belongs to somebody else.
            }
        }
    }
}
