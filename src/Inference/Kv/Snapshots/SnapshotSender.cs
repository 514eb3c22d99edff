using System.Security.Cryptography;
using Herd.Inference.Runtime;

namespace Herd.Inference.Kv.Snapshots;

/// <summary>
/// Makes the parts of a snapshot that are sent to another node: the header, the state piece by piece, the seal over all
/// of it (docs/kv-snapshot.md). The seal covers the part that the receiver has; that part is not sent again. A snapshot
/// is written to disk by <see cref="SnapshotFile"/>.
/// </summary>
public sealed class SnapshotSender : IDisposable
{
    private readonly StateBuffer _state;
    private readonly IncrementalHash _seal;
    private long _at;

    /// <param name="state">The state to send. The caller keeps its ownership.</param>
    /// <param name="session">The session it becomes.</param>
    /// <param name="binding">The binding of the snapshot.</param>
    public SnapshotSender(SessionState state, string session, SnapshotBinding binding)
    {
        _state = state.State;
        _seal = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, binding.Key);
        Header = new SnapshotHeader
        {
            Model = binding.Model,
            Layout = SnapshotHeader.Digest(binding.Layout),
            Session = session,
            Tenant = state.Tenant,
            Prefix = state.Prefix,
            Tokens = state.Tokens,
            StateBytes = state.State.Length,
        }.Write();
        _seal.AppendData(Header);
    }

    public byte[] Header { get; }

    /// <summary>Skips what the receiver has.</summary>
    public void Skip(long bytes)
    {
        while (_at < bytes && !Next((int)Math.Min(bytes - _at, int.MaxValue)).IsEmpty)
        {
            // Until as much was sealed.
        }
    }

    /// <summary>The next piece of the state, of at most so many bytes; empty at the end.</summary>
    public ReadOnlySpan<byte> Next(int maxBytes)
    {
        var piece = _state.From(_at);
        piece = piece[..Math.Min(piece.Length, maxBytes)];
        _seal.AppendData(piece);
        _at += piece.Length;
        return piece;
    }

    public byte[] Seal() => _seal.GetHashAndReset();

    public void Dispose() => _seal.Dispose();
}
