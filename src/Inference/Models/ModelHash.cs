using System.Security.Cryptography;
using Herd.Inference.Runtime;

namespace Herd.Inference.Models;

/// <summary>Checks that a model file is the one the catalog means, before anything reads it.</summary>
public static class ModelHash
{
    /// <exception cref="ModelLoadException">The file is missing, or another one.</exception>
    public static async Task Verify(ModelSource source, CancellationToken cancellation)
    {
        if (!File.Exists(source.Path))
        {
            throw new ModelLoadException($"The file of model '{source.Id}' is missing: {source.Path}.");
        }

        if (source.Sha256 is null)
        {
            return;
        }

        await using var file = File.OpenRead(source.Path);
        var found = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellation));
        if (found != source.Sha256)
        {
            throw new ModelLoadException(
                $"{source.Path} is not the file the catalog means by '{source.Id}': its SHA-256 is {found}, expected "
                + $"{source.Sha256}. Restore the file, or correct the catalog if the change was meant.");
        }
    }
}
