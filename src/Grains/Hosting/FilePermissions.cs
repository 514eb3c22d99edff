namespace Herd.Grains.Hosting;

/// <summary>Who may read a file.</summary>
public static class FilePermissions
{
    /// <summary>Whether everybody on the machine may; false where the system does not say.</summary>
    public static bool IsReadableByOthers(string path) =>
        !OperatingSystem.IsWindows() && File.Exists(path) && (File.GetUnixFileMode(path) & UnixFileMode.OtherRead) != 0;
}
