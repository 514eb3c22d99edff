namespace Herd.Testing;

/// <summary>A folder with a package.json and a package-lock.json, for tests that use npm packages.</summary>
/// <param name="path">The folder, below the repository's root.</param>
public sealed class NpmFolder(params string[] path)
{
    private Task? _installing;

    public string Folder { get; } = Path.Combine([Repository.Root, .. path]);

    /// <summary>Installs the packages of package-lock.json, unless they are installed already.</summary>
    public Task Install() => LazyInitializer.EnsureInitialized(ref _installing, InstallOnce);

    private Task InstallOnce()
    {
        // npm writes this file last. It is newer than the lock exactly when all packages were installed from the lock.
        var installed = new FileInfo(Path.Combine(Folder, "node_modules", ".package-lock.json"));
        return installed.Exists
            && installed.LastWriteTimeUtc > File.GetLastWriteTimeUtc(Path.Combine(Folder, "package-lock.json"))
            ? Task.CompletedTask
            : Tool.Run(Folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund");
    }
}
