using System.Security.Cryptography;
using Herd.Inference.Files;

namespace Herd.Inference.Kv.Snapshots;

/// <summary>The secret that a node seals its snapshots with: a file that only its own user can read.</summary>
public static class SnapshotKey
{
    private const int Bytes = 32;

    /// <exception cref="InvalidDataException">The file is there and is no key, or cannot be written.</exception>
    public static byte[] ReadOrMake(string path)
    {
        try
        {
            PrivateFile.CreateFolder(Path.GetDirectoryName(path)!);
            if (!File.Exists(path))
            {
                Make(path);
            }

            return File.ReadAllBytes(path) is { Length: Bytes } key
                ? key
                : throw new InvalidDataException(
                    $"{path} is not a key of {Bytes} bytes. Delete it and the snapshots beside it.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException(
                $"The key of the KV caches on disk cannot be read or written at {path}: {e.Message}", e);
        }
    }

    private static void Make(string path)
    {
        using var file = PrivateFile.Create(path);
        file.Write(RandomNumberGenerator.GetBytes(Bytes));
    }
}
