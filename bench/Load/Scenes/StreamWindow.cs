using System.Diagnostics;

namespace Herd.Load.Scenes;

/// <summary>Measures the time in which all streams run, from the last one's begin to the first one's end.</summary>
/// <param name="streams">The number of streams.</param>
/// <param name="process">The process that forwards them.</param>
internal sealed class StreamWindow(int streams, Process process)
{
    private readonly Lock _lock = new();
    private int _begun;
    private long _tokens;
    private (long Tokens, TimeSpan Cpu)? _opened;
    private (long Tokens, TimeSpan Cpu)? _closed;

    /// <summary>Tokens by CPU second; not a number if all streams never ran at the same time.</summary>
    public double TokensPerCpuSecond => (_opened, _closed) is ({ } from, { } to)
        ? (to.Tokens - from.Tokens) / (to.Cpu - from.Cpu).TotalSeconds
        : double.NaN;

    /// <returns>A callback for the tokens of each chunk of the stream.</returns>
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

    /// <summary>Records the end of a stream.</summary>
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
