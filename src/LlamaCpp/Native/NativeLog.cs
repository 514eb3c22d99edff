using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Herd.LlamaCpp.Native;

/// <summary>
/// Forwards the log of llama.cpp to a logger, and keeps the last errors of each thread for exceptions.
/// </summary>
internal static partial class NativeLog
{
    private const int Warning = 3;
    private const int Error = 4;
    private const int Continued = 5;

    [ThreadStatic]
    private static StringBuilder? _line;

    [ThreadStatic]
    private static int _level;

    [ThreadStatic]
    private static List<string>? _errors;

    private static ILogger? _logger;

    public static unsafe void Route(ILogger logger)
    {
        _logger = logger;
        Llama.LogSet(&OnLog, null);
    }

    /// <summary>Returns and clears the errors that calls of this thread have logged.</summary>
    public static string TakeErrors()
    {
        var errors = string.Join("; ", (_errors ?? []).Distinct());
        _errors?.Clear();
        return errors;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static unsafe void OnLog(int level, byte* text, void* userData)
    {
        var line = _line ??= new StringBuilder();
        line.Append(Marshal.PtrToStringUTF8((nint)text));
        _level = level == Continued ? _level : level;
        if (line.Length > 0 && line[^1] == '\n')
        {
            Write(_level, line.ToString().TrimEnd());
            line.Clear();
        }
    }

    private static void Write(int level, string line)
    {
        if (level >= Error)
        {
            (_errors ??= []).Add(line);
        }

        Line(
            _logger!,
            level switch { >= Error => LogLevel.Error, Warning => LogLevel.Warning, _ => LogLevel.Debug },
            line);
    }

    [LoggerMessage(EventId = 200, Message = "{Line}")]
    private static partial void Line(ILogger logger, LogLevel level, string line);
}
