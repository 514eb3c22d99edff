using System.Security.Cryptography;
using Herd.Inference.Runtime;

namespace Herd.Inference.Models;

/// <summary>Checks the hash of a model file against the catalog, before the file is used.</summary>
public static class ModelHash
{
    private const int PieceBytes = 1 << 20;

    /// <returns>The SHA-256 of the file.</returns>
    /// <exception cref="ModelLoadException">The file is missing, or its hash differs.</exception>
    public static async Task<byte[]> Verify(ModelSource source, CancellationToken cancellation)
    {
        if (!File.Exists(source.Path))
        {
            throw new ModelLoadException(
                $"The file of model '{source.Id}' is missing: {source.Path}. Fetch it, or correct the catalog.");
        }

        var digest = await Digest(source.Path, cancellation);
        var found = Convert.ToHexStringLower(digest);
        if (source.Sha256 is not null && found != source.Sha256)
        {
            throw new ModelLoadException(
                $"{source.Path} is not the catalog's file of model '{source.Id}': its SHA-256 is {found}, expected "
                + $"{source.Sha256}. Restore the file, or correct the catalog if the change was meant.");
        }

        return digest;
    }

    /// <summary>Reads in large blocks: computation of others between two blocks can delay the next one.</summary>
    private static async Task<byte[]> Digest(string path, CancellationToken cancellation)
    {
        await using var file = new FileStream(
            path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var piece = new byte[PieceBytes];
        while (await file.ReadAsync(piece, cancellation) is > 0 and var read)
        {
            hash.AppendData(piece, 0, read);
        }

        return hash.GetHashAndReset();
    }
}
