using System.Diagnostics;
using System.Runtime.Versioning;
using Herd.Inference.Models.Probing;
using Herd.Inference.Runtime;

namespace Herd.Processes.Tests.Models;

/// <summary>Children that pass, refuse, die and hang, as shell scripts; and the limits of the real one.</summary>
[SupportedOSPlatform("linux")]
public sealed class ModelProbeTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("herd-probe-");
    private readonly byte[] _digest = [1, 2, 3];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Remembered => Path.Combine(_folder.FullName, "node", "passed-models");

    private string Started => Path.Combine(_folder.FullName, "started");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Require_FilePassed_IsNotProbedAgainByThisProcessNorByTheNext()
    {
        var first = Probe($"echo $0 >> {Started}");

        await first.Require("/m.gguf", _digest, Cancellation);
        await first.Require("/m.gguf", _digest, Cancellation);
        await Probe($"echo $0 >> {Started}").Require("/m.gguf", _digest, Cancellation);

        Assert.Equal(["/m.gguf"], await File.ReadAllLinesAsync(Started, Cancellation));
        Assert.Equal(["passed models 1", "010203 native"], await File.ReadAllLinesAsync(Remembered, Cancellation));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Remembered));
    }

    /// <summary>What one build of native code survives may end another.</summary>
    [Fact]
    public async Task Require_PassedInAnotherRuntimeOrWithOtherContent_IsProbed()
    {
        await Probe("exit 0").Require("/m.gguf", _digest, Cancellation);
        var next = new ModelProbe(new Runtime("newer"), new PassedModels(Remembered), Shell($"echo $0 >> {Started}"));

        await next.Require("/m.gguf", _digest, Cancellation);
        await next.Require("/m.gguf", [4], Cancellation);

        Assert.Equal(2, (await File.ReadAllLinesAsync(Started, Cancellation)).Length);
    }

    [Fact]
    public async Task Require_FileWasLoadedByThisProcess_IsNotProbed()
    {
        var probe = Probe("kill -ABRT $$");

        probe.SetPassed(_digest);

        await probe.Require("/m.gguf", _digest, Cancellation);
    }

    [Theory]
    [InlineData("kill -ABRT $$", "an abort")]
    [InlineData("kill -SEGV $$", "a segmentation fault")]
    [InlineData("kill -KILL $$", "the end of its memory or time")]
    [InlineData("exit 77", "exit code 77")]
    public async Task Require_ChildDies_NamesFileCauseAndLastWords(string death, string cause)
    {
        var probe = Probe($"echo 'llama.cpp:7: GGML_ASSERT(a > 0) failed' >&2; echo later >&2; {death}");

        var error = await Assert.ThrowsAsync<ModelLoadException>(
            () => probe.Require("/m.gguf", _digest, Cancellation));

        Assert.StartsWith(
            $"/m.gguf ends the process that opens it ({cause}): llama.cpp:7: GGML_ASSERT(a > 0) failed. ",
            error.Message,
            StringComparison.Ordinal);
        Assert.False(File.Exists(Remembered));
    }

    /// <summary>Whatever a child writes, the error is one short line.</summary>
    [Fact]
    public async Task Require_ChildWritesMegabytes_IsBounded()
    {
        var probe = Probe(
            "printf '\\033[2J\\303\\244' >&2; head -c 9000000 /dev/zero | tr '\\0' x >&2; "
            + "head -c 9000000 /dev/zero; exit 3");

        var error = await Assert.ThrowsAsync<ModelLoadException>(
            () => probe.Require("/m.gguf", _digest, Cancellation));

        Assert.InRange(error.Message.Length, 1, 500);
        Assert.DoesNotContain(error.Message, c => c is < ' ' or > '~');
    }

    [Fact]
    public async Task Require_ChildRefuses_SaysWhatItSays()
    {
        var probe = Probe("echo 'a.gguf is not sound'; exit 10");

        var error = await Assert.ThrowsAsync<ModelLoadException>(
            () => probe.Require("/m.gguf", _digest, Cancellation));

        Assert.Equal("a.gguf is not sound", error.Message);
    }

    [Fact]
    public async Task Require_Cancelled_EndsTheChild()
    {
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var probe = Probe($"mkfifo {Started}; echo $$ > {Started}; exec sleep 1000");
        var running = probe.Require("/m.gguf", _digest, cancellation.Token);
        await WaitForFile(Started);
        using var child =
            Process.GetProcessById(int.Parse(await File.ReadAllTextAsync(Started, Cancellation), provider: null));

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        await child.WaitForExitAsync(Cancellation);
    }

    [Fact]
    public async Task Require_RuntimeWithoutNativeCodeOrProgramWithoutChild_ProbesNothing()
    {
        var passed = new PassedModels("");

        await new ModelProbe(new Runtime("managed") { IsNative = false }, passed, Shell("exit 3"))
            .Require("/m.gguf", _digest, Cancellation);
        await new ModelProbe(new Runtime("native"), passed, command: null).Require("/m.gguf", _digest, Cancellation);
    }

    private ModelProbe Probe(string script) =>
        new(new Runtime("native"), new PassedModels(Remembered), Shell(script));

    private static ProbeCommand Shell(string script) => new("/bin/sh", ["-c", script]);

    private static async Task WaitForFile(string path)
    {
        while (!File.Exists(path))
        {
            await Task.Delay(5, Cancellation);
        }
    }

    private sealed class Runtime(string description) : ILlamaRuntime
    {
        public string Description => description;

        public bool IsNative { get; init; } = true;

        public GpuSupport Gpu => GpuSupport.NotBuilt;

        public long Check(string path, ModelOptions options, ContextOptions context, long released = 0) => 0;

        public ILlamaModel Load(
            string path, ModelOptions options, IProgress<float>? progress, CancellationToken cancellation) =>
            throw new NotSupportedException();
    }
}
