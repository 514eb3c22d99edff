using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Herd.Inference.Kv.Snapshots;

/// <summary>
/// The header of a snapshot: everything before the state. The bytes are in docs/kv-snapshot.md; keep the two the
/// same.
/// </summary>
internal sealed record SnapshotHeader
{
    public const int FixedBytes = 144;
    public const int DigestBytes = SHA256.HashSizeInBytes;
    private const uint Version = 1;
    private const int MaxNameBytes = 4096;
    private const int MaxTokens = 1 << 24;
    private const int TokensPerLink = 64;

    public required byte[] Model { get; init; }

    /// <summary>SHA-256 of the context's layout.</summary>
    public required byte[] Layout { get; init; }

    public required string Session { get; init; }

    public required string Tenant { get; init; }

    public required ulong Prefix { get; init; }

    public required int[] Tokens { get; init; }

    public required long StateBytes { get; init; }

    private static ReadOnlySpan<byte> Magic => "HERDKVSN"u8;

    public byte[] Write()
    {
        var session = Encoding.UTF8.GetBytes(Session);
        var tenant = Encoding.UTF8.GetBytes(Tenant);
        var bytes = new byte[FixedBytes + session.Length + tenant.Length + Tokens.Length * sizeof(int)];
        var to = bytes.AsSpan();
        Magic.CopyTo(to);
        BinaryPrimitives.WriteUInt32LittleEndian(to[8..], Version);
        Model.CopyTo(to[16..]);
        Layout.CopyTo(to[48..]);
        BinaryPrimitives.WriteUInt64LittleEndian(to[80..], Prefix);
        BinaryPrimitives.WriteInt32LittleEndian(to[88..], session.Length);
        BinaryPrimitives.WriteInt32LittleEndian(to[92..], tenant.Length);
        BinaryPrimitives.WriteInt32LittleEndian(to[96..], Tokens.Length);
        BinaryPrimitives.WriteInt64LittleEndian(to[104..], StateBytes);
        Chain(Tokens).CopyTo(to[112..]);
        session.CopyTo(to[FixedBytes..]);
        tenant.CopyTo(to[(FixedBytes + session.Length)..]);
        MemoryMarshal.AsBytes(Tokens.AsSpan()).CopyTo(to[(FixedBytes + session.Length + tenant.Length)..]);
        return bytes;
    }

    /// <summary>Reads and checks the header of a file: everything but the seal, which lies after the state.</summary>
    /// <param name="source">At its beginning; left where the state begins.</param>
    /// <exception cref="InvalidDataException">It is not a snapshot, or its counts do not fit its length.</exception>
    public static SnapshotHeader Read(Stream source) => Read(source, source.Length);

    /// <summary>Reads and checks a header without the state behind it.</summary>
    /// <exception cref="InvalidDataException">
    /// It is not a snapshot header, or its counts do not fit its length.
    /// </exception>
    public static SnapshotHeader Read(byte[] header)
    {
        Require(header.Length >= FixedBytes, "it is too short");
        var state = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(104));
        Require(state is > 0 and < long.MaxValue / 2, "its state's length is out of range");
        using var source = new MemoryStream(header, writable: false);
        return Read(source, header.Length + state + DigestBytes);
    }

    private static SnapshotHeader Read(Stream source, long length)
    {
        Require(length > FixedBytes + DigestBytes, "it is too short");
        var head = new byte[FixedBytes];
        source.ReadExactly(head);
        var from = head.AsSpan();
        Require(from.StartsWith(Magic), "it does not begin with 'HERDKVSN'");
        var version = BinaryPrimitives.ReadUInt32LittleEndian(from[8..]);
        Require(version == Version, $"its version is {version}, this Herd reads {Version}");
        Require(BinaryPrimitives.ReadUInt32LittleEndian(from[12..]) == 0, "its flags are not known");
        Require(BinaryPrimitives.ReadUInt32LittleEndian(from[100..]) == 0, "its reserved bytes are set");
        var session = BinaryPrimitives.ReadInt32LittleEndian(from[88..]);
        var tenant = BinaryPrimitives.ReadInt32LittleEndian(from[92..]);
        var tokens = BinaryPrimitives.ReadInt32LittleEndian(from[96..]);
        var state = BinaryPrimitives.ReadInt64LittleEndian(from[104..]);
        Require(session is >= 0 and <= MaxNameBytes, "its session's name is too long");
        Require(tenant is >= 0 and <= MaxNameBytes, "its tenant's name is too long");
        Require(tokens is >= 1 and <= MaxTokens, "its number of tokens is out of range");
        var before = FixedBytes + session + tenant + tokens * (long)sizeof(int) + DigestBytes;
        Require(before <= length && state == length - before, "its lengths do not add up");
        var names = new byte[session + tenant];
        source.ReadExactly(names);
        var ids = new int[tokens];
        source.ReadExactly(MemoryMarshal.AsBytes(ids.AsSpan()));
        Require(from.Slice(112, DigestBytes).SequenceEqual(Chain(ids)), "its tokens are not those it was sealed with");
        return new SnapshotHeader
        {
            Model = head[16..48],
            Layout = head[48..80],
            Prefix = BinaryPrimitives.ReadUInt64LittleEndian(from[80..]),
            Session = Encoding.UTF8.GetString(names, 0, session),
            Tenant = Encoding.UTF8.GetString(names, session, tenant),
            Tokens = ids,
            StateBytes = state,
        };
    }

    public static byte[] Digest(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));

    /// <summary>Each link is the hash of the link before it and of the next 64 tokens; this is the last one.</summary>
    public static byte[] Chain(ReadOnlySpan<int> tokens)
    {
        Span<byte> link = stackalloc byte[DigestBytes + TokensPerLink * sizeof(int)];
        link.Clear();
        while (!tokens.IsEmpty)
        {
            var count = Math.Min(TokensPerLink, tokens.Length);
            MemoryMarshal.AsBytes(tokens[..count]).CopyTo(link[DigestBytes..]);
            SHA256.HashData(link[..(DigestBytes + count * sizeof(int))], link);
            tokens = tokens[count..];
        }

        return link[..DigestBytes].ToArray();
    }

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new InvalidDataException($"The snapshot of a KV cache is invalid: {otherwise}.");
        }
    }
}
