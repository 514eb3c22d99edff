using System.Security.Cryptography;
using Herd.Inference.Runtime;

namespace Herd.Inference.Models;

/// <summary>Checks that a model file is the one the catalog means, before anything reads it.</summary>
public static class ModelHash
{
    /// <returns>The SHA-256 of the file.</returns>
    /// <exception cref="ModelLoadException">The file is missing, or another one.</exception>
    public static async Task<byte[]> Verify(ModelSource source, CancellationToken cancellation)
    {
        if (!File.Exists(source.Path))
        {
            throw new ModelLoadException($"The file of model '{source.Id}' is missing: {source.Path}.");
        }

        await using var file = File.OpenRead(source.Path);
        var digest = await SHA256.HashDataAsync(file, cancellation);
        var found = Convert.ToHexStringLower(digest);
        if (source.Sha256 is not null && found != source.Sha256)
        {
            throw new ModelLoadException(
                $"{source.Path} is not the file the catalog means by '{source.Id}': its SHA-256 is {found}, expected "
                + $"{source.Sha256}. Restore the file, or correct the catalog if the change was meant.");
        }

        return digest;
    }
}
