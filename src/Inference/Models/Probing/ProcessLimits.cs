using System.Runtime.InteropServices;

namespace Herd.Inference.Models.Probing;

/// <summary>
/// Limits of a process that opens a stranger's file: memory and processor time, and no core dump. The kernel ends a
/// process that takes more, so nothing has to watch it. Systems other than Linux have none of them.
/// </summary>
internal static partial class ProcessLimits
{
    /// <summary>
    /// The least and the most writable memory of the process: vocabulary, graph, and weights that are computed with,
    /// which are copied for some processors. Mapped files do not count. In between, half of what is free is allowed.
    /// </summary>
    private const long MinMemory = 1L << 30;
    private const long MaxMemory = 8L << 30;

    /// <summary>The work of the process. A large model takes about 2 s.</summary>
    private const ulong ProcessorSeconds = 60;

    /// <summary>The last resort, for a process that waits for ever: seconds on the clock.</summary>
    private const uint WallSeconds = 300;

    /// <summary>If memory runs out all the same, the kernel ends this process before all others.</summary>
    private const string FirstToEnd = "1000";

    private const int ProcessorTime = 0;
    private const int Data = 2;
    private const int Core = 4;

    /// <summary>Limits this process from now on.</summary>
    public static void Apply()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        LimitMemory();
        File.WriteAllText("/proc/self/oom_score_adj", FirstToEnd);
        Set(ProcessorTime, ProcessorSeconds);
        _ = Alarm(WallSeconds);
    }

    /// <summary>Limits the memory alone, for a process that opens many files.</summary>
    public static void LimitMemory()
    {
        Set(Data, (ulong)Math.Clamp(HostMemory.Free() / 2, MinMemory, MaxMemory));
        Set(Core, 0);
    }

    private static void Set(int resource, ulong value)
    {
        var limit = new Limit(value, value);
        if (SetLimit(resource, in limit) != 0)
        {
            throw new InvalidOperationException(
                $"The limit {resource} of this process cannot be set to {value}: "
                + $"error {Marshal.GetLastPInvokeError()}.");
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Limit(ulong Soft, ulong Hard);

    [LibraryImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    private static partial int SetLimit(int resource, in Limit limit);

    [LibraryImport("libc", EntryPoint = "alarm")]
    private static partial uint Alarm(uint seconds);
}
