using System.Diagnostics;
using System.Globalization;
using Herd.Testing;

namespace Herd.Cluster.Tests;

/// <summary>The child process that opens a model's file, as a node starts it.</summary>
public sealed class ProbeChildTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("herd-child-");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Probe_SoundModel_EndsWithZeroAndSaysNothing()
    {
        using var child = Start(Repository.RealModel);

        await child.WaitForExitAsync(Cancellation);

        Assert.Equal(0, child.ExitCode);
        Assert.Equal("", await child.StandardOutput.ReadToEndAsync(Cancellation));
        Assert.Equal("", await child.StandardError.ReadToEndAsync(Cancellation));
    }

    /// <summary>The kernel ends a child that takes more. This one waits for a file that never comes.</summary>
    [Fact]
    public async Task Probe_WhileItOpensAFile_HasLimits()
    {
        var pipe = Path.Combine(_folder.FullName, "never.gguf");
        using (var make = Process.Start("mkfifo", [pipe]))
        {
            await make.WaitForExitAsync(Cancellation);
        }

        using var child = Start(pipe);
        try
        {
            var limits = await Poll.Until(
                () => File.ReadAllLinesAsync($"/proc/{child.Id}/limits", Cancellation),
                lines => lines.Any(line => line.StartsWith("Max cpu time", StringComparison.Ordinal)
                    && line.Contains(" 60 ", StringComparison.Ordinal)));

            var memory = limits.Single(line => line.StartsWith("Max data size", StringComparison.Ordinal));
            Assert.InRange(
                long.Parse(memory.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3], CultureInfo.InvariantCulture),
                1L << 30,
                8L << 30);
            Assert.Equal("1000\n", await File.ReadAllTextAsync($"/proc/{child.Id}/oom_score_adj", Cancellation));
            Assert.Contains(limits, line => line.StartsWith("Max core file size", StringComparison.Ordinal)
                && line.Contains(" 0 ", StringComparison.Ordinal));
        }
        finally
        {
            child.Kill();
        }
    }

    private static Process Start(string path) => Process.Start(new ProcessStartInfo(
        Path.Combine(Repository.Root, "artifacts", "bin", "Silo", Repository.Configuration, "Herd.Silo"),
        ["probe-model", "", path])
    {
        RedirectStandardOutput = true, RedirectStandardError = true,
    })!;
}
