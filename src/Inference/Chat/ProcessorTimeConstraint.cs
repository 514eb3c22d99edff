using System.Runtime.InteropServices;
using Jint;

namespace Herd.Inference.Chat;

/// <summary>Ends a script that used more processor time of its thread than it may.</summary>
/// <param name="limit">The maximum of one execution.</param>
internal sealed partial class ProcessorTimeConstraint(TimeSpan limit) : Constraint
{
    /// <summary>A reading of the thread's clock is a system call of about 200 ns, so few statements read it.</summary>
    private const int StatementsPerReading = 1024;

    private const int ThreadProcessorTime = 3; // CLOCK_THREAD_CPUTIME_ID of Linux.

    private TimeSpan _started;
    private int _statements;

    public override void Reset()
    {
        _started = Now();
        _statements = 0;
    }

    /// <exception cref="TimeoutException">The script used more than its limit.</exception>
    public override void Check()
    {
        if (++_statements % StatementsPerReading == 0 && Now() - _started > limit)
        {
            throw new TimeoutException("It used more processor time than it may.");
        }
    }

    private static TimeSpan Now() => ReadClock(ThreadProcessorTime, out var time) == 0
        ? TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1000.0)
        : throw new PlatformNotSupportedException("This system has no clock of a thread's processor time.");

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int ReadClock(int clock, out ClockTime time);

    [StructLayout(LayoutKind.Sequential)]
    private struct ClockTime
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
