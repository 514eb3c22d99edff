using System.Diagnostics;
using System.Globalization;
using Herd.Inference.Runtime;

namespace Herd.Inference.Models.Probing;

/// <summary>Runs a child process that opens a file by native code (<see cref="ProbeChild"/>).</summary>
internal static class ProbeProcess
{
    private const int MaxOutput = 4096;
    private const int MaxLastWords = 300;
    private const int SignalBase = 128;

    /// <summary>Exit codes of signals as the kernel and the runtime report them.</summary>
    private static readonly Dictionary<int, string> Signals = new()
    {
        [4] = "an illegal instruction",
        [6] = "an abort",
        [7] = "a bus error",
        [8] = "a division by zero",
        [9] = "the end of its memory or time",
        [11] = "a segmentation fault",
        [14] = "the end of its time",
        [24] = "the end of its processor time",
    };

    /// <summary>Ends normally if native code can open the file.</summary>
    /// <exception cref="ModelLoadException">Native code refused the file, or the child died of it.</exception>
    public static async Task Run(ProbeCommand command, string path, CancellationToken cancellation)
    {
        using var process = Start(command, path);
        try
        {
            process.StandardInput.Close();
            var refusal = ReadStart(process.StandardOutput, cancellation);
            var lastWords = ReadStart(process.StandardError, cancellation);
            await process.WaitForExitAsync(cancellation);
            if (process.ExitCode != 0)
            {
                throw new ModelLoadException(process.ExitCode == ProbeChild.Refused
                    ? (await refusal).Trim()
                    : Death(path, process.ExitCode, await lastWords));
            }
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    private static Process Start(ProbeCommand command, string path)
    {
        var start = new ProcessStartInfo(command.Program, [.. command.Arguments, path])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        // The child opens the file without a GPU, whose start takes seconds and memory that the node has plans for.
        start.Environment["CUDA_VISIBLE_DEVICES"] = "-1";
        start.Environment["GGML_VK_VISIBLE_DEVICES"] = "";
        start.Environment["GGML_NO_BACKTRACE"] = "1";
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new ModelLoadException(
                $"{path} was not checked: the program {command.Program} cannot be started once more ({e.Message}).", e);
        }
    }

    private static string Death(string path, int exitCode, string output)
    {
        var cause = Signals.GetValueOrDefault(exitCode - SignalBase)
            ?? string.Create(CultureInfo.InvariantCulture, $"exit code {exitCode}");
        return $"{path} ends the process that opens it ({cause}): {LastWords(output)}. The node did not open it. Fetch "
            + "the file again, or choose another.";
    }

    /// <summary>
    /// The first line that native code wrote as it died. It is llama.cpp's own text; what could be of the file (lines
    /// that are long, and all but printable ASCII) is cut.
    /// </summary>
    private static string LastWords(string output)
    {
        var line = output.Split('\n').Select(line => line.Trim()).FirstOrDefault(line => line.Length > 0);
        return line is null
            ? "it said nothing"
            : new string([.. line.Take(MaxLastWords).Select(c => c is >= ' ' and <= '~' ? c : '?')]);
    }

    /// <summary>Reads to the end, so that the child never waits, and keeps the start.</summary>
    private static async Task<string> ReadStart(StreamReader reader, CancellationToken cancellation)
    {
        var kept = new System.Text.StringBuilder();
        var buffer = new char[MaxOutput];
        while (await reader.ReadAsync(buffer, cancellation) is > 0 and var read)
        {
            kept.Append(buffer, 0, Math.Min(read, MaxOutput - kept.Length));
        }

        return kept.ToString();
    }
}
