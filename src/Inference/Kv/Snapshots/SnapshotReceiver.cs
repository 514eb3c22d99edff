using System.Security.Cryptography;
using Herd.Inference.Runtime;

namespace Herd.Inference.Kv.Snapshots;

/// <summary>
/// Receives a snapshot from another node in parts, over one connection or, if it breaks, over several. The runtime gets
/// the state only after its seal was verified.
/// </summary>
/// <param name="session">The session it is to be of.</param>
/// <param name="tenant">The tenant it is to be of.</param>
/// <param name="binding">The expected binding.</param>
/// <param name="maxBytes">The largest accepted state, in bytes.</param>
public sealed class SnapshotReceiver(string session, string tenant, SnapshotBinding binding, long maxBytes)
    : IDisposable
{
    private SnapshotHeader? _header;
    private StateBuffer? _state;

    /// <summary>Bytes of the state that have come.</summary>
    public long Received { get; private set; }

    /// <summary>Takes the header that each connection begins with. A new header restarts the transfer.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or of another session, model or layout.</exception>
    public void Begin(byte[] header)
    {
        var read = SnapshotHeader.Read(header);
        Require(read.Session == session && read.Tenant == tenant, "it is another session's");
        Require(read.Model.AsSpan().SequenceEqual(binding.Model), "it is another model's");
        Require(read.Layout.AsSpan().SequenceEqual(SnapshotHeader.Digest(binding.Layout)), "it has another layout");
        Require(
            read.StateBytes <= maxBytes, $"its {read.StateBytes} bytes are more than the {maxBytes} that are taken");
        if (_header is null || !_header.Write().AsSpan().SequenceEqual(header))
        {
            _state?.Dispose();
            _state = new StateBuffer(read.StateBytes);
            Received = 0;
        }

        _header = read;
    }

    /// <summary>Takes the next piece of the state.</summary>
    /// <exception cref="InvalidDataException">It is more than was announced.</exception>
    public void Append(ReadOnlySpan<byte> piece)
    {
        Require(_state is not null, "its header is missing");
        if (Received + piece.Length - _state!.Length is > 0 and var excess)
        {
            throw Refusal($"it has at least {excess} bytes more than its header states");
        }

        piece.CopyTo(_state.From(Received));
        Received += piece.Length;
    }

    /// <summary>Checks the seal.</summary>
    /// <returns>The state, which is the caller's from now on.</returns>
    /// <exception cref="InvalidDataException">Something is missing, damaged, or sealed with another key.</exception>
    public SessionState End(ReadOnlySpan<byte> seal)
    {
        Require(_state is not null, "its header is missing");
        if (Received != _state!.Length)
        {
            throw Refusal($"{_state.Length - Received} of its {_state.Length} bytes are missing");
        }

        using var expected = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, binding.Key);
        expected.AppendData(_header!.Write());
        for (var at = 0L; at < _state.Length;)
        {
            var piece = _state.From(at);
            expected.AppendData(piece);
            at += piece.Length;
        }

        Require(CryptographicOperations.FixedTimeEquals(seal, expected.GetHashAndReset()), "its seal is broken");
        var state = new SessionState(_header.Session, _header.Tenant, _header.Prefix, _header.Tokens, _state);
        _state = null;
        return state;
    }

    public void Dispose() => _state?.Dispose();

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw Refusal(otherwise);
        }
    }

    private static InvalidDataException Refusal(string reason) =>
        new($"The KV cache that was sent is refused: {reason}.");
}
