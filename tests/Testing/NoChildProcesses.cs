namespace Herd.Testing;

/// <summary>
/// Fails a test project if a test, or the code under test, started a process. An assembly fixture of the projects of
/// <c>./test --fast</c>: they need no package and no other program, so they run anywhere at once.
/// </summary>
public sealed class NoChildProcesses : IDisposable
{
    /// <exception cref="InvalidOperationException">A child process was started since this process began.</exception>
    public void Dispose()
    {
        if (Directory.EnumerateDirectories("/proc/self/task").Any(HasChildren) || FaultsOfEndedChildren() > 0)
        {
            throw new InvalidOperationException(
                "A test of this project started a process. Move it to tests/Processes.Tests: './test --fast' starts "
                    + "none.");
        }
    }

    /// <summary>True if a thread started a process that still runs.</summary>
    private static bool HasChildren(string thread)
    {
        try
        {
            return File.ReadAllText(Path.Combine(thread, "children")).Length > 0;
        }
        catch (IOException)
        {
            // The thread ended since its folder was listed. Its children, if any, belong to another thread now.
            return false;
        }
    }

    /// <summary>
    /// The page faults of children that have ended, the 11th field of /proc/PID/stat (cminflt). Zero if there were
    /// none.
    /// </summary>
    private static long FaultsOfEndedChildren()
    {
        var stat = File.ReadAllText("/proc/self/stat");

        // The 2nd field, the program's name, may hold spaces; it ends with the last bracket.
        return long.Parse(
            stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[8], System.Globalization.CultureInfo.InvariantCulture);
    }
}
