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
    public static long Write(
        string path, SnapshotHeader header, StateBuffer state, byte[] key, SnapshotCipher? cipher = null)
    {
        var draft = path + KvFiles.Draft;
        try
        {
            WriteDraft(draft, header, state, key, cipher);
            File.Move(draft, path, overwrite: true);
        }
        catch
        {
            // A part of a file would keep a full disk full.
            File.Delete(draft);
            throw;
        }

        return new FileInfo(path).Length;
    }

    /// <summary>Opens a file. It is read as if it were not encrypted.</summary>
    /// <exception cref="InvalidDataException">It is not encrypted with that key.</exception>
    public static Stream Open(string path, SnapshotCipher? cipher)
    {
        var file = new FileStream(path, ReadOptions);
        try
        {
            return cipher?.Decrypt(file) ?? file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads and verifies a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="expected">The expected header: another session's, model's or layout's snapshot is refused.</param>
    /// <param name="key">The key of the seal.</param>
    /// <param name="cipher">Decrypts it; null if it is not encrypted.</param>
    /// <exception cref="InvalidDataException">It is damaged, another one, or sealed with another key.</exception>
    public static StateBuffer Read(
        string path, SnapshotHeader expected, byte[] key, SnapshotCipher? cipher = null)
    {
        using var file = Open(path, cipher);
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

    private static void WriteDraft(
        string draft, SnapshotHeader header, StateBuffer state, byte[] key, SnapshotCipher? cipher)
    {
        using var file = PrivateFile.Create(draft, FileMode.Create, bufferSize: 0);
        var begin = header.Write();
        using var encrypted = cipher?.Encrypt(file, begin.Length + state.Length + SnapshotHeader.DigestBytes);
        using var seal = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        Put(begin);
        for (var at = 0L; at < state.Length;)
        {
            var part = state.From(at);
            Put(part);
            at += part.Length;
        }

        Save(seal.GetHashAndReset());
        encrypted?.End();

        void Put(ReadOnlySpan<byte> bytes)
        {
            seal.AppendData(bytes);
            Save(bytes);
        }

        void Save(ReadOnlySpan<byte> bytes)
        {
            if (encrypted is null)
            {
                file.Write(bytes);
            }
            else
            {
                encrypted.Write(bytes);
            }
        }
    }
}
