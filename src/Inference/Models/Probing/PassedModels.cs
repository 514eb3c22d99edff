using Herd.Inference.Files;

namespace Herd.Inference.Models.Probing;

/// <summary>
/// The files that native code can open, by digest and runtime. They are remembered in a file of the node, or, without
/// one, as long as the process lives. Thread-safe.
/// </summary>
/// <param name="path">The file; empty for none. It is private (600).</param>
public sealed class PassedModels(string path)
{
    private const string Title = "passed models 1";
    private const int MaxRemembered = 1000;

    private readonly Lock _lock = new();
    private List<string>? _entries;

    public bool Contains(byte[] digest, string runtime)
    {
        lock (_lock)
        {
            return Entries.Contains(Entry(digest, runtime));
        }
    }

    public void Add(byte[] digest, string runtime)
    {
        lock (_lock)
        {
            var entry = Entry(digest, runtime);
            if (!Entries.Contains(entry))
            {
                _entries = [.. Entries.TakeLast(MaxRemembered - 1), entry];
                Write();
            }
        }
    }

    private List<string> Entries => _entries ??= Read();

    private static string Entry(byte[] digest, string runtime) => $"{Convert.ToHexStringLower(digest)} {runtime}";

    /// <summary>A file that cannot be read, or is of another version, names none.</summary>
    private List<string> Read()
    {
        try
        {
            return path.Length > 0 && File.Exists(path) && File.ReadAllLines(path) is [Title, .. var entries]
                ? [.. entries]
                : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Replaces the file as a whole. If that fails, the next start probes the model once more.</summary>
    private void Write()
    {
        if (path.Length == 0)
        {
            return;
        }

        try
        {
            PrivateFile.CreateFolder(Path.GetDirectoryName(path)!);
            var next = path + ".new";
            using (var writer = new StreamWriter(PrivateFile.Create(next, FileMode.Create)))
            {
                writer.NewLine = "\n";
                writer.WriteLine(Title);
                _entries!.ForEach(writer.WriteLine);
            }

            File.Move(next, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A full disk must not keep a model from being served.
        }
    }
}
