namespace Herd.Inference.Kv.Snapshots;

/// <summary>The files with KV caches of a node.</summary>
public static class KvFiles
{
    /// <summary>The extension of a snapshot.</summary>
    internal const string Snapshot = ".kv";

    /// <summary>The extension of a snapshot that is being written.</summary>
    internal const string Draft = ".draft";

    /// <summary>Deletes all files with KV caches in a folder that no engine uses.</summary>
    /// <param name="folder">The folder; it need not exist.</param>
    /// <exception cref="IOException">A file cannot be deleted.</exception>
    public static void DeleteAll(string folder)
    {
        if (Directory.Exists(folder))
        {
            foreach (var file in Directory.EnumerateFiles(folder).Where(Is).ToList())
            {
                File.Delete(file);
            }
        }
    }

    private static bool Is(string file) => Path.GetExtension(file) is Snapshot or Draft;
}
