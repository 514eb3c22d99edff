using System.Diagnostics;
using System.Text;

namespace Herd.Cluster.Tests;

/// <summary>A program on a pseudo terminal, which script(1) makes. A user types, and sees what it prints.</summary>
internal sealed class Terminal(Process process) : IDisposable
{
    public const string CtrlC = "\u0003";

    private readonly StringBuilder _shown = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>What it has printed and the user has typed.</summary>
    public string Shown => _shown.ToString();

    public async Task Type(string text)
    {
        await process.StandardInput.WriteAsync(text.AsMemory(), Cancellation);
        await process.StandardInput.FlushAsync(Cancellation);
    }

    /// <summary>Reads until the screen has the text behind a position.</summary>
    /// <returns>The position behind the text.</returns>
    public async Task<int> Until(string text, int from = 0)
    {
        var buffer = new char[1024];
        while (Shown.IndexOf(text, from, StringComparison.Ordinal) is var at)
        {
            if (at >= 0)
            {
                return at + text.Length;
            }

            var read = await process.StandardOutput.ReadAsync(buffer, Cancellation);
            Assert.True(read > 0, $"It ended, and '{text}' was not shown: {Shown}");
            _shown.Append(buffer, 0, read);
        }

        return -1;
    }

    /// <summary>Waits for the end.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> End()
    {
        _shown.Append(await process.StandardOutput.ReadToEndAsync(Cancellation));
        await process.WaitForExitAsync(Cancellation);
        return process.ExitCode;
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
        }

        process.Dispose();
    }
}
