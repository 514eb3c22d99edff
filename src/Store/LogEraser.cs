using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Herd.Store;

/// <summary>
/// Erases the part of the append-only log that is no longer read, so that it holds nothing of what was deleted. Garnet
/// itself leaves it in its file until the whole file is of no use.
/// </summary>
/// <param name="folder">The folder of the log's files.</param>
/// <param name="segmentBits">The size of a file, as a power of two.</param>
/// <param name="begin">The address of the first entry that is still read.</param>
internal sealed partial class LogEraser(string folder, int segmentBits, Func<long> begin)
{
    /// <summary>Garnet writes whole blocks. The one with the beginning may be written again.</summary>
    private const int Block = 4096;

    /// <summary>Keep the size of the file (1), and free the blocks (2).</summary>
    private const int PunchHole = 1 | 2;

    private long _erased;

    /// <summary>Looks at the log every second until it is cancelled.</summary>
    public async Task Run(TimeProvider time, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), time);
        while (await timer.WaitForNextTickAsync(cancellation))
        {
            Look();
        }
    }

    /// <summary>Erases what is no longer read and was not erased yet.</summary>
    public void Look()
    {
        var until = begin() / Block * Block;
        try
        {
            while (_erased < until)
            {
                var segment = _erased >> segmentBits;
                var end = Math.Min(until, (segment + 1) << segmentBits);
                Erase(segment, _erased - (segment << segmentBits), end - (segment << segmentBits));
                _erased = end;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Such as a full disk of a file system without holes. The next look tries again.
        }
    }

    private void Erase(long segment, long from, long until)
    {
        var path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"aof.log.{segment}"));
        if (!File.Exists(path))
        {
            return;
        }

        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        until = Math.Min(until, RandomAccess.GetLength(file));
        if (from < until && (!OperatingSystem.IsLinux() || Allocate(file, PunchHole, from, until - from) != 0))
        {
            Overwrite(file, from, until);
        }
    }

    /// <summary>For file systems that cannot free a part of a file.</summary>
    private static void Overwrite(SafeFileHandle file, long from, long until)
    {
        var zeros = new byte[1 << 20];
        for (var at = from; at < until; at += zeros.Length)
        {
            RandomAccess.Write(file, zeros.AsSpan(0, (int)Math.Min(zeros.Length, until - at)), at);
        }
    }

    [LibraryImport("libc", EntryPoint = "fallocate")]
    private static partial int Allocate(SafeFileHandle file, int mode, long offset, long length);
}
