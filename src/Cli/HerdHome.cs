using Herd.Inference.Files;

namespace Herd.Cli;

/// <summary>The folders of the repository and of the cluster that runs on this machine.</summary>
internal static class HerdHome
{
    /// <summary>The name of the file that <see cref="Processes.HomeLock"/> locks.</summary>
    public const string LockFile = "lock";

    private static readonly string[] Own =
        ["run.json", LockFile, "cluster.key", "operator.key", "store.password", "logs", "data"];

    /// <summary>The folder with models/ in it.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>
    /// State, logs and data of the cluster that 'herd up' runs: $HERD_HOME, else .herd in the repository.
    /// </summary>
    public static string Path { get; } = System.IO.Path.GetFullPath(
        Environment.GetEnvironmentVariable("HERD_HOME") ?? System.IO.Path.Combine(Root, ".herd"));

    public static string Catalog => System.IO.Path.Combine(Root, "models", "catalog.json");

    public static string StateFile => System.IO.Path.Combine(Path, "run.json");

    /// <summary>The password of the embedded store.</summary>
    public static string StorePasswordFile => System.IO.Path.Combine(Path, "store.password");

    /// <summary>The key for operators' calls at the gateways of the cluster.</summary>
    public static string OperatorKeyFile => System.IO.Path.Combine(Path, "operator.key");

    public static string Logs => System.IO.Path.Combine(Path, "logs");

    /// <summary>The program of a process, built with the same configuration as this command.</summary>
    public static string Program(string project)
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Name;
        return System.IO.Path.GetFullPath(
            System.IO.Path.Combine(AppContext.BaseDirectory, "..", "..", project, configuration, $"Herd.{project}"));
    }

    /// <summary>
    /// Makes the folder, for its own user only. One that holds only what Herd made is closed to others too; one that
    /// the user keeps other files in stays as it is.
    /// </summary>
    public static void Create()
    {
        if (!Directory.Exists(Path) || Directory.EnumerateFileSystemEntries(Path).All(entry =>
            Own.Contains(System.IO.Path.GetFileName(entry))))
        {
            PrivateFile.CreateFolder(Path);
        }
    }

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null
            && !File.Exists(System.IO.Path.Combine(directory.FullName, "models", "catalog.json")))
        {
            directory = directory.Parent;
        }

        return directory?.FullName
            ?? throw new CliException(
                "models/catalog.json was not found in any folder above this program. Run ./herd in a clone of the "
                + "repository.");
    }
}
