using System.Diagnostics;
using System.Globalization;

namespace Herd.FuzzModels;

/// <summary>A worker that is started again whenever it has died. Used by one thread at a time.</summary>
internal sealed class WorkerProcess : IDisposable
{
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(30);

    private Process? _process;
    private Task<string> _lastWords = Task.FromResult("");

    /// <summary>The number of workers that died.</summary>
    public int Deaths { get; private set; }

    /// <summary>Has the worker do a command.</summary>
    /// <returns>The worker's answer, or its death: the signal and the first line that native code wrote.</returns>
    public (string? Answer, string? Death) Do(string command)
    {
        if (_process is null)
        {
            Start();
        }

        _process!.StandardInput.WriteLine(command);
        _process.StandardInput.Flush();
        var answer = _process.StandardOutput.ReadLineAsync();
        var hung = !answer.Wait(MaxWait);
        if (!hung && answer.Result is { } line)
        {
            return (line, null);
        }

        if (hung)
        {
            _process.Kill();
        }

        _process.WaitForExit();
        var cause = hung ? "hangs" : string.Create(CultureInfo.InvariantCulture, $"exit code {_process.ExitCode}");
        var words = _lastWords.Result.Split('\n').FirstOrDefault(text => text.Trim().Length > 0)?.Trim() ?? "";
        _process.Dispose();
        _process = null;
        Deaths++;
        return (null, $"{cause}: {words}");
    }

    public void Dispose()
    {
        if (_process is not null)
        {
            _process.StandardInput.Close();
            _process.WaitForExit();
            _process.Dispose();
        }
    }

    private void Start()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, [Worker.Mode])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["GGML_NO_BACKTRACE"] = "1";
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        _process = Process.Start(start)!;
        _lastWords = _process.StandardError.ReadToEndAsync();
    }
}
