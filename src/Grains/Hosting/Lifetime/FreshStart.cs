using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Herd.Grains.Hosting.Lifetime;

/// <summary>
/// Starts the program of a process anew, with the same id, arguments and log. Orleans cannot stop a silo that has not
/// become active; this leaves nothing of it. On Linux only.
/// </summary>
internal static partial class FreshStart
{
    /// <summary>The environment variable with the number of attempts to join before this one.</summary>
    private const string Attempts = "HERD_JOIN_ATTEMPTS";

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>The pause before this attempt to join: 1 s after the first, twice as long after each more.</summary>
    public static TimeSpan Pause()
    {
        var attempts = Count();
        return attempts == 0 ? TimeSpan.Zero : PauseAfter(attempts);
    }

    /// <summary>Forgets the attempts.</summary>
    public static void Joined() => Environment.SetEnvironmentVariable(Attempts, null);

    internal static TimeSpan PauseAfter(int attempts) =>
        TimeSpan.FromSeconds(Math.Min(LongestPause.TotalSeconds, Math.Pow(2, attempts - 1)));

    /// <summary>Does not return, except if the program cannot be started.</summary>
    public static void Begin()
    {
        var arguments = File.ReadAllText("/proc/self/cmdline", Encoding.UTF8).TrimEnd('\0').Split('\0');
        var environment = Environment.GetEnvironmentVariables();
        environment[Attempts] = (Count() + 1).ToString(CultureInfo.InvariantCulture);
        var lines = environment.Keys.Cast<string>().Select(name => $"{name}={environment[name]}");
        _ = Execute("/proc/self/exe", [.. arguments, null], [.. lines, null]);
    }

    private static int Count() =>
        int.TryParse(Environment.GetEnvironmentVariable(Attempts), CultureInfo.InvariantCulture, out var count)
            ? count
            : 0;

    [LibraryImport("libc", EntryPoint = "execve", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string path, string?[] arguments, string?[] environment);
}
