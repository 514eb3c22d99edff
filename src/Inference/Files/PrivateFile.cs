using System.Runtime.InteropServices;

namespace Herd.Inference.Files;

/// <summary>
/// Files and folders that only their own user can read and write. Systems without Unix permissions ignore them.
/// </summary>
public static partial class PrivateFile
{
    /// <summary>Permissions of group and others, which new files of a process do not get.</summary>
    private const int GroupAndOthers = 0b111_111;

    private const UnixFileMode File600 = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Folder700 = File600 | UnixFileMode.UserExecute;

    /// <summary>
    /// Makes every file and folder that this process and its children create from now on private (umask 077). The first
    /// call of each program: a file that is made by a library is nobody else's either.
    /// </summary>
    public static void MakeNewFilesPrivate()
    {
        if (!OperatingSystem.IsWindows())
        {
            _ = SetMask(GroupAndOthers);
        }
    }

    /// <summary>Creates a file for writing. It has its permissions (600) from its first moment.</summary>
    /// <param name="path">The file.</param>
    /// <param name="mode">What to do if it exists; by default that is an error.</param>
    /// <param name="bufferSize">The stream's buffer, in bytes; 0 for none.</param>
    /// <exception cref="IOException">It exists already, or cannot be created.</exception>
    public static FileStream Create(string path, FileMode mode = FileMode.CreateNew, int bufferSize = 4096)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.Write, BufferSize = bufferSize };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = File600;
        }

        return new FileStream(path, options);
    }

    /// <summary>
    /// Creates a folder with the permissions 700. One that exists gets them if it belongs to this user; a mounted
    /// volume may belong to another, and keeps those that it was given.
    /// </summary>
    /// <exception cref="IOException">It cannot be created.</exception>
    public static void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }

        Directory.CreateDirectory(path, Folder700);
        try
        {
            File.SetUnixFileMode(path, Folder700);
        }
        catch (UnauthorizedAccessException)
        {
            // The folder belongs to another user.
        }
    }

    [LibraryImport("libc", EntryPoint = "umask")]
    private static partial int SetMask(int mask);
}
