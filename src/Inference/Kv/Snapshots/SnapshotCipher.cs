using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Herd.Inference.Kv.Snapshots;

/// <summary>
/// Encrypts the files of snapshots (AES-256-GCM, in frames of 1 MiB): docs/kv-snapshot.md. What is encrypted is a whole
/// snapshot, whose seal says that no frame is missing or elsewhere.
/// </summary>
/// <param name="key">The key, 32 bytes.</param>
internal sealed class SnapshotCipher(byte[] key)
{
    private const int FrameBytes = 1 << 20;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int IdBytes = 8;

    /// <summary>The magic, the key's id, the nonce of the first frame, the length of the snapshot.</summary>
    private const int HeadBytes = 8 + IdBytes + NonceBytes + sizeof(long);

    private readonly byte[] _id = SHA256.HashData([.. "herd kv key"u8, .. key])[..IdBytes];

    private static ReadOnlySpan<byte> Magic => "HERDKVEN"u8;

    /// <summary>A stream that encrypts what is written to it.</summary>
    /// <param name="file">The file, at its beginning.</param>
    /// <param name="length">The bytes that will be written.</param>
    public Writer Encrypt(Stream file, long length)
    {
        var head = new byte[HeadBytes];
        Magic.CopyTo(head);
        _id.CopyTo(head, Magic.Length);
        var nonce = head.AsSpan(Magic.Length + IdBytes, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(HeadBytes - sizeof(long)), length);
        file.Write(head);
        return new Writer(file, key, nonce.ToArray());
    }

    /// <summary>The snapshot in a file.</summary>
    /// <exception cref="InvalidDataException">It is not encrypted, or with another key.</exception>
    public Stream Decrypt(Stream file)
    {
        var head = new byte[HeadBytes];
        if (file.ReadAtLeast(head, HeadBytes, throwOnEndOfStream: false) < HeadBytes
            || !head.AsSpan().StartsWith(Magic)
            || !head.AsSpan(Magic.Length, IdBytes).SequenceEqual(_id))
        {
            throw new InvalidDataException("The file of a KV cache is not encrypted with the key of this node.");
        }

        return new Reader(
            file,
            key,
            head[(Magic.Length + IdBytes)..(Magic.Length + IdBytes + NonceBytes)],
            BinaryPrimitives.ReadInt64LittleEndian(head.AsSpan(HeadBytes - sizeof(long))));
    }

    /// <summary>Each frame has a nonce of its own: that of the first one, plus its number.</summary>
    private static void Increment(byte[] nonce) =>
        BinaryPrimitives.WriteInt32LittleEndian(nonce, BinaryPrimitives.ReadInt32LittleEndian(nonce) + 1);

    /// <summary>Writes frames.</summary>
    internal sealed class Writer(Stream file, byte[] key, byte[] nonce) : IDisposable
    {
        private readonly AesGcm _aes = new(key, TagBytes);
        private readonly byte[] _frame = new byte[FrameBytes];
        private readonly byte[] _encrypted = new byte[TagBytes + FrameBytes];
        private int _kept;

        public void Write(ReadOnlySpan<byte> bytes)
        {
            while (!bytes.IsEmpty)
            {
                var part = bytes[..Math.Min(bytes.Length, FrameBytes - _kept)];
                part.CopyTo(_frame.AsSpan(_kept));
                _kept += part.Length;
                bytes = bytes[part.Length..];
                if (_kept == FrameBytes)
                {
                    End();
                }
            }
        }

        /// <summary>Writes the last frame.</summary>
        public void End()
        {
            if (_kept > 0)
            {
                _aes.Encrypt(
                    nonce,
                    _frame.AsSpan(0, _kept),
                    _encrypted.AsSpan(TagBytes, _kept),
                    _encrypted.AsSpan(0, TagBytes));
                file.Write(_encrypted.AsSpan(0, TagBytes + _kept));
                Increment(nonce);
                _kept = 0;
            }
        }

        public void Dispose() => _aes.Dispose();
    }

    /// <summary>Reads frames, one after the other.</summary>
    private sealed class Reader(Stream file, byte[] key, byte[] nonce, long length) : Stream
    {
        private readonly AesGcm _aes = new(key, TagBytes);
        private readonly byte[] _frame = new byte[FrameBytes];
        private readonly byte[] _encrypted = new byte[TagBytes + FrameBytes];
        private readonly long _length = length;
        private long _left = length;
        private int _at;
        private int _end;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => _length;

        public override long Position
        {
            get => _length - _left - (_end - _at);
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            if (_at == _end && _left > 0)
            {
                ReadFrame();
            }

            var part = _frame.AsSpan(_at, Math.Min(buffer.Length, _end - _at));
            part.CopyTo(buffer);
            _at += part.Length;
            return part.Length;
        }

        public override void Flush()
        {
            // Nothing is written.
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            _aes.Dispose();
            file.Dispose();
            base.Dispose(disposing);
        }

        private void ReadFrame()
        {
            var bytes = (int)Math.Min(_left, FrameBytes);
            try
            {
                file.ReadExactly(_encrypted.AsSpan(0, TagBytes + bytes));
                _aes.Decrypt(
                    nonce,
                    _encrypted.AsSpan(TagBytes, bytes),
                    _encrypted.AsSpan(0, TagBytes),
                    _frame.AsSpan(0, bytes));
            }
            catch (Exception e) when (e is CryptographicException or EndOfStreamException)
            {
                throw new InvalidDataException("The encrypted file of a KV cache is damaged.", e);
            }

            Increment(nonce);
            (_at, _end, _left) = (0, bytes, _left - bytes);
        }
    }
}
