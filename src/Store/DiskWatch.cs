using System.Runtime.InteropServices;

namespace Herd.Store;

/// <summary>
/// Restarts the store after a write that failed, once its disk has space. A write that failed leaves Garnet's log
/// broken: it confirms no later write, however much space there is. Started again it reads what it has confirmed.
/// </summary>
/// <param name="folder">The folder of the store's data.</param>
/// <param name="isBroken">True once a write has failed.</param>
/// <param name="restart">Restarts the store.</param>
/// <param name="report">Takes lines for the log.</param>
internal sealed partial class DiskWatch(
    string folder, Func<bool> isBroken, Action restart, Action<string> report)
{
    /// <summary>Bytes that must be free: a page of the log and some more.</summary>
    public const int NeededBytes = 16 << 20;

    private readonly string _probe = Path.Combine(folder, "space.probe");
    private bool _isFull;

    /// <summary>Looks at the disk every second until it is cancelled.</summary>
    public async Task Run(TimeProvider time, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), time);
        while (await timer.WaitForNextTickAsync(cancellation))
        {
            Look();
        }
    }

    /// <summary>Looks at the disk once.</summary>
    public void Look()
    {
        var (was, problem) = (_isFull, Reserve());
        _isFull = problem is not null;
        if (_isFull && !was)
        {
            report($"There is no space for the store in {folder}: {problem} New writes are refused until there is.");
        }
        else if (!_isFull && isBroken())
        {
            report($"There is space in {folder}. The store restarts.");
            restart();
        }
    }

    /// <summary>Reserves the needed bytes and gives them back. Nothing is written.</summary>
    /// <returns>Why it cannot; null if it can.</returns>
    private string? Reserve()
    {
        try
        {
            using var file = new FileStream(_probe, new FileStreamOptions
            {
                Mode = FileMode.Create,
                Access = FileAccess.Write,
                Options = FileOptions.DeleteOnClose,
                PreallocationSize = NeededBytes,
            });
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    /// <summary>
    /// Makes this process the same program anew, under the same id, so that nobody who watches it has to start it.
    /// Returns only if that fails.
    /// </summary>
    public static void StartAnew(string[] arguments)
    {
        var program = Environment.ProcessPath!;
        _ = Execute(program, [program, .. arguments, null]);
        Environment.Exit(1);
    }

    [LibraryImport("libc", EntryPoint = "execv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string program, string?[] arguments);
}
