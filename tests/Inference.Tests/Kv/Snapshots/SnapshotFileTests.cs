using FsCheck.Xunit;
using Herd.Inference.Kv.Snapshots;
using Herd.Inference.Runtime;

namespace Herd.Inference.Tests.Kv.Snapshots;

public sealed class SnapshotFileTests : IDisposable
{
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("herd-kv-");

    private string Path => System.IO.Path.Combine(_folder.FullName, "a.kv");

    [Fact]
    public void Read_Written_IsTheSame()
    {
        var header = Header();
        Write(header);

        using var state = SnapshotFile.Read(Path, header, Key);

        Assert.Equal(State(), state.From(0).ToArray());
    }

    /// <summary>The bytes of version 1, as docs/kv-snapshot.md has them.</summary>
    [Fact]
    public void Write_Version1_HasTheDocumentedLayout()
    {
        Write(Header());

        var bytes = File.ReadAllBytes(Path);
        Assert.Equal("HERDKVSN"u8.ToArray(), bytes[..8]);
        Assert.Equal([1, 0, 0, 0, 0, 0, 0, 0], bytes[8..16]);
        Assert.Equal(Enumerable.Repeat((byte)7, 32), bytes[16..48]);
        Assert.Equal(9UL, BitConverter.ToUInt64(bytes, 80));
        Assert.Equal(
            (3, 1, 100),
            (BitConverter.ToInt32(bytes, 88), BitConverter.ToInt32(bytes, 92), BitConverter.ToInt32(bytes, 96)));
        Assert.Equal(1000, BitConverter.ToInt64(bytes, 104));
        Assert.Equal("n/st"u8.ToArray(), bytes[144..148]);
        Assert.Equal(144 + 4 + 400 + 1000 + 32, bytes.Length);
    }

    [Property(MaxTest = 300)]
    public bool Read_AnyBitFlipped_IsRefused(uint position, byte bit)
    {
        Write(Header());
        var bytes = File.ReadAllBytes(Path);
        bytes[position % bytes.Length] ^= (byte)(1 << (bit % 8));
        File.WriteAllBytes(Path, bytes);

        return IsRefused(Header());
    }

    [Property(MaxTest = 100)]
    public bool Read_CutOrLengthened_IsRefused(uint length)
    {
        Write(Header());
        var bytes = File.ReadAllBytes(Path);
        Array.Resize(
            ref bytes, (int)(length % (bytes.Length + 64)) is var size && size == bytes.Length ? size + 1 : size);
        File.WriteAllBytes(Path, bytes);

        return IsRefused(Header());
    }

    [Fact]
    public void Read_FileOfAnotherSession_IsRefused()
    {
        Write(Header() with { Session = "n/t" });

        Assert.True(IsRefused(Header()));
    }

    [Fact]
    public void Read_OlderStateOfTheSession_IsRefused()
    {
        Write(Header() with { Tokens = [.. Enumerable.Range(0, 99)] });

        Assert.True(IsRefused(Header()));
    }

    [Fact]
    public void Read_OtherModelLayoutOrKey_IsRefused()
    {
        Write(Header());

        Assert.True(IsRefused(Header() with { Model = new byte[32] }));
        Assert.True(IsRefused(Header() with { Layout = new byte[32] }));
        Assert.Throws<InvalidDataException>(() => SnapshotFile.Read(Path, Header(), new byte[32]));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(1000)]
    [InlineData(1 << 20)]
    [InlineData(3_000_000)]
    public void Read_Encrypted_IsWhatWasWrittenAndTheFileShowsNothing(int bytes)
    {
        var state = new byte[bytes];
        new Random(1).NextBytes(state);
        using (var buffer = new StateBuffer(bytes))
        {
            Fill(buffer, state);
            SnapshotFile.Write(Path, Header() with { StateBytes = bytes }, buffer, Key, new SnapshotCipher(Key));
        }

        var file = File.ReadAllBytes(Path);
        Assert.True(file.AsSpan().StartsWith("HERDKVEN"u8));
        Assert.Equal(-1, file.AsSpan().IndexOf(new byte[] { 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0 }));
        Assert.Equal(-1, file.AsSpan().IndexOf(state.AsSpan(0, 64)));
        using var read = SnapshotFile.Read(
            Path, Header() with { StateBytes = bytes }, Key, new SnapshotCipher(Key));
        Assert.True(Bytes(read).AsSpan().SequenceEqual(state));
    }

    [Fact]
    public void Read_EncryptedAndAByteDiffers_IsRefused()
    {
        var cipher = new SnapshotCipher(Key);
        WriteEncrypted(cipher);
        var file = File.ReadAllBytes(Path);
        for (var at = 0; at < file.Length; at++)
        {
            byte[] changed = [.. file];
            changed[at] ^= 1;
            File.WriteAllBytes(Path, changed);

            Assert.ThrowsAny<Exception>(() => SnapshotFile.Read(Path, Header(), Key, cipher));
        }
    }

    [Fact]
    public void Read_AnotherKeyOrNone_IsRefused()
    {
        WriteEncrypted(new SnapshotCipher(Key));
        var other = new SnapshotCipher([.. Key.Reverse()]);

        Assert.Throws<InvalidDataException>(() => SnapshotFile.Read(Path, Header(), Key, other));
        Assert.Throws<InvalidDataException>(() => SnapshotFile.Read(Path, Header(), Key));
        Write(Header());
        Assert.Throws<InvalidDataException>(() => SnapshotFile.Read(Path, Header(), Key, other));
    }

    private void WriteEncrypted(SnapshotCipher cipher)
    {
        using var state = new StateBuffer(1000);
        Fill(state, State());
        SnapshotFile.Write(Path, Header(), state, Key, cipher);
    }

    private static void Fill(StateBuffer buffer, byte[] state)
    {
        for (var at = 0L; at < buffer.Length;)
        {
            var part = buffer.From(at);
            state.AsSpan((int)at, part.Length).CopyTo(part);
            at += part.Length;
        }
    }

    private static byte[] Bytes(StateBuffer buffer)
    {
        var bytes = new List<byte>();
        while (bytes.Count < buffer.Length)
        {
            bytes.AddRange(buffer.From(bytes.Count));
        }

        return [.. bytes];
    }

    private static SnapshotHeader Header() => new()
    {
        Model = [.. Enumerable.Repeat((byte)7, 32)],
        Layout = SnapshotHeader.Digest("layout"),
        Session = "n/s",
        Tenant = "t",
        Prefix = 9,
        Tokens = [.. Enumerable.Range(0, 100)],
        StateBytes = 1000,
    };

    private static byte[] State() => [.. Enumerable.Range(0, 1000).Select(i => (byte)(i * 7))];

    private void Write(SnapshotHeader header)
    {
        using var state = new StateBuffer(1000);
        State().CopyTo(state.From(0));
        SnapshotFile.Write(Path, header, state, Key);
    }

    private bool IsRefused(SnapshotHeader expected)
    {
        try
        {
            SnapshotFile.Read(Path, expected, Key).Dispose();
            return false;
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            return true;
        }
    }
}
