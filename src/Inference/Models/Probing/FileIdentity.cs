using Herd.Inference.Runtime;

namespace Herd.Inference.Models.Probing;

/// <summary>Tells if a file is still the one that was checked, without reading it again.</summary>
/// <param name="Bytes">Its length.</param>
/// <param name="Written">The time of its last change.</param>
/// <param name="Created">The time of its creation: a file that was moved over it has another.</param>
public sealed record FileIdentity(long Bytes, DateTime Written, DateTime Created)
{
    /// <exception cref="ModelLoadException">There is no such file.</exception>
    public static FileIdentity Read(string path)
    {
        var file = new FileInfo(path);
        return file.Exists
            ? new FileIdentity(file.Length, file.LastWriteTimeUtc, file.CreationTimeUtc)
            : throw new ModelLoadException($"The model file {path} is missing. Fetch it, or choose another.");
    }

    /// <exception cref="ModelLoadException">The file is another one by now.</exception>
    public void RequireSame(string path)
    {
        if (Read(path) != this)
        {
            throw new ModelLoadException(
                $"{path} changed while it was checked. Load it again once it is complete.");
        }
    }
}
