using System.Security.Cryptography;
using Herd.Inference.Files;
using Herd.Inference.Runtime;

namespace Herd.Inference.Kv.Snapshots;

/// <summary>
/// Snapshots as files: header, state, and a seal (HMAC-SHA256) over both. The runtime gets the state only after its
/// seal was verified.
/// </summary>
internal static class SnapshotFile
{
    /// <summary>Writes a file, whole or not at all.</summary>
    /// <returns>Its size.</returns>
    public static long Write(string path, SnapshotHeader header, StateBuffer state, byte[] key)
    {
        var draft = path + KvFiles.Draft;
        using (var file = PrivateFile.Create(draft, FileMode.Create, bufferSize: 0))
        {
            using var seal = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
            Put(header.Write());
            for (var at = 0L; at < state.Length;)
            {
                var part = state.From(at);
                Put(part);
                at += part.Length;
            }

            file.Write(seal.GetHashAndReset());

            void Put(ReadOnlySpan<byte> bytes)
            {
                seal.AppendData(bytes);
                file.Write(bytes);
            }
        }

        File.Move(draft, path, overwrite: true);
        return new FileInfo(path).Length;
    }

    /// <summary>Reads and verifies a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="expected">The expected header: another session's, model's or layout's snapshot is refused.</param>
    /// <param name="key">The key of the seal.</param>
    /// <exception cref="InvalidDataException">It is damaged, another one, or sealed with another key.</exception>
    public static StateBuffer Read(string path, SnapshotHeader expected, byte[] key)
    {
        using var file = new FileStream(path, ReadOptions);
        var header = SnapshotHeader.Read(file);
        if (!header.Write().AsSpan().SequenceEqual(expected.Write()))
        {
            throw new InvalidDataException($"{path} is the snapshot of another session, model or layout.");
        }

        using var seal = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        seal.AppendData(header.Write());
        var state = new StateBuffer(header.StateBytes);
        try
        {
            for (var at = 0L; at < state.Length;)
            {
                var part = state.From(at);
                file.ReadExactly(part);
                seal.AppendData(part);
                at += part.Length;
            }

            var found = new byte[SnapshotHeader.DigestBytes];
            file.ReadExactly(found);
            return CryptographicOperations.FixedTimeEquals(found, seal.GetHashAndReset())
                ? state
                : throw new InvalidDataException(
                    $"The seal of {path} is broken: the file is damaged, or of another key.");
        }
        catch
        {
            state.Dispose();
            throw;
        }
    }

    private static FileStreamOptions ReadOptions =>
        new() { Mode = FileMode.Open, Access = FileAccess.Read, BufferSize = 0 };
}
