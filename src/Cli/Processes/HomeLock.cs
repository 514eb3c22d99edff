namespace Herd.Cli.Processes;

/// <summary>
/// Lets one command at a time start or stop the processes of this machine's cluster: a lock on a file in its folder.
/// The kernel releases it when the command ends, however it ends.
/// </summary>
internal sealed class HomeLock : IDisposable
{
    /// <summary>EAGAIN: another process has the lock.</summary>
    private const int IsTaken = 11;

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    private readonly FileStream _file;

    private HomeLock(FileStream file) => _file = file;

    /// <exception cref="CliException">Another command has it.</exception>
    public static HomeLock Take() => TryTake() ?? throw new CliException(
        $"another 'herd up' or 'herd down' starts or stops the cluster of {HerdHome.Path} now. Wait until it is done, "
        + "then try again.");

    /// <summary>Waits until no other command has it.</summary>
    public static async Task<HomeLock> WaitForIt()
    {
        while (true)
        {
            if (TryTake() is { } taken)
            {
                return taken;
            }

            await Task.Delay(Poll);
        }
    }

    public void Dispose() => _file.Dispose();

    private static HomeLock? TryTake()
    {
        HerdHome.Create();
        try
        {
            var path = Path.Combine(HerdHome.Path, HerdHome.LockFile);
            return new HomeLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None));
        }
        catch (IOException e) when (e.HResult == IsTaken)
        {
            return null;
        }
    }
}
