using System.Globalization;

namespace Herd.Inference.Models;

/// <summary>The memory of this machine, or of the container of this process.</summary>
public static class HostMemory
{
    private const string Limit = "/sys/fs/cgroup/memory.max";
    private const string Used = "/sys/fs/cgroup/memory.current";

    /// <returns>The available bytes; <see cref="long.MaxValue"/> if the system does not report them.</returns>
    public static long Free() => Math.Min(FreeOnMachine(), FreeInContainer());

    private static long FreeOnMachine()
    {
        const string Label = "MemAvailable:";
        var line = File.Exists("/proc/meminfo")
            ? File.ReadLines("/proc/meminfo").FirstOrDefault(line => line.StartsWith(Label, StringComparison.Ordinal))
            : null;
        return line is null
            ? long.MaxValue
            : Number(line[Label.Length..].Replace("kB", "", StringComparison.Ordinal)) * 1024;
    }

    private static long FreeInContainer() =>
        File.Exists(Limit) && File.Exists(Used) && File.ReadAllText(Limit).Trim() is var limit && limit != "max"
            ? Number(limit) - Number(File.ReadAllText(Used))
            : long.MaxValue;

    private static long Number(string text) => long.Parse(text.Trim(), CultureInfo.InvariantCulture);
}
