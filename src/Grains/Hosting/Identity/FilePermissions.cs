namespace Herd.Grains.Hosting.Identity;

/// <summary>Permissions of files.</summary>
public static class FilePermissions
{
    /// <summary>
    /// True if every user of the machine can read the file; false if the system has no such permissions.
    /// </summary>
    public static bool IsReadableByOthers(string path) =>
        !OperatingSystem.IsWindows() && File.Exists(path) && (File.GetUnixFileMode(path) & UnixFileMode.OtherRead) != 0;
}
