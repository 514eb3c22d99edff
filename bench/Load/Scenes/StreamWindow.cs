using System.Diagnostics;

namespace Herd.Load.Scenes;

/// <summary>The time in which all streams stream, from when the last has begun until the first ends: what passes then, and what that costs.</summary>
/// <param name="streams">How many there are.</param>
/// <param name="process">What passes them on.</param>
internal sealed class StreamWindow(int streams, Process process)
{
    private readonly Lock _lock = new();
    private int _begun;
    private long _tokens;
    private (long Tokens, TimeSpan Cpu)? _opened;
    private (long Tokens, TimeSpan Cpu)? _closed;

    /// <summary>By second of processor time; not a number when there was no such time.</summary>
    public double TokensPerCpuSecond => (_opened, _closed) is ({ } from, { } to)
        ? (to.Tokens - from.Tokens) / (to.Cpu - from.Cpu).TotalSeconds
        : double.NaN;

    /// <returns>Told of each of a stream's pieces, in tokens.</returns>
    public Action<int> Stream()
    {
        var isFirst = true;
        return tokens =>
        {
            lock (_lock)
            {
                _tokens += tokens;
                _begun += isFirst ? 1 : 0;
                _opened ??= _begun == streams ? Now() : null;
                isFirst = false;
            }
        };
    }

    /// <summary>A stream has ended.</summary>
    public void End()
    {
        lock (_lock)
        {
            _closed ??= Now();
        }
    }

    private (long Tokens, TimeSpan Cpu) Now()
    {
        process.Refresh();
        return (_tokens, process.TotalProcessorTime);
    }
}
