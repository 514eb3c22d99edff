namespace Herd.Inference.Files;

/// <summary>Files that only their own user can read and write, for secrets.</summary>
public static class PrivateFile
{
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
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(path, options);
    }
}
