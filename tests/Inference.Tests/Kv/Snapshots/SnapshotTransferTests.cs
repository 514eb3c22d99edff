using FsCheck.Xunit;
using Herd.Inference.Kv;
using Herd.Inference.Kv.Snapshots;
using Herd.Inference.Runtime;

namespace Herd.Inference.Tests.Kv.Snapshots;

/// <summary>Transfers of KV caches between nodes: the receiver has the bytes that were sent, or refuses.</summary>
public sealed class SnapshotTransferTests
{
    private const string Session = "b/t/c/m";
    private const int StateBytes = 1000;

    private static readonly SnapshotBinding Binding = new(
        [.. Enumerable.Repeat((byte)7, 32)], "layout", [.. Enumerable.Repeat((byte)9, 32)]);

    [Fact]
    public void End_EverythingReceived_EqualsTheSentState()
    {
        using var reader = Reader();

        using var received = Receive(reader, Pieces());

        Assert.Equal((Session, "t", 5UL), (received.Session, received.Tenant, received.Prefix));
        Assert.Equal([1, 2, 3], received.Tokens);
        Assert.Equal(State(), received.State.From(0).ToArray());
        received.State.Dispose();
    }

    [Property(MaxTest = 300)]
    public bool Receive_AnyBitFlipped_IsRefused(ushort position, byte bit)
    {
        var pieces = Pieces();
        var at = position % pieces.Sum(piece => piece.Length);
        var piece = pieces.First(piece => at < piece.Length || (at -= piece.Length) < 0);
        piece[at] ^= (byte)(1 << (bit % 8));

        return IsRefused(() => Receive(Reader(), pieces));
    }

    /// <summary>A transfer whose connection breaks anywhere resumes there, over any number of connections.</summary>
    [Property(MaxTest = 100)]
    public bool Receive_BrokenAnywhere_ResumesThere(ushort first, ushort second, byte most)
    {
        using var reader = Reader();
        foreach (var position in new[] { first % StateBytes, second % StateBytes })
        {
            using var sent = Sent();
            using var writer = Writer(sent);
            reader.Begin(writer.Header);
            writer.Skip(reader.Received);
            while (reader.Received < position && writer.Next(1 + most) is { IsEmpty: false } piece)
            {
                reader.Append(piece);
            }
        }

        using var last = Sent();
        using var rest = Writer(last);
        reader.Begin(rest.Header);
        rest.Skip(reader.Received);
        while (rest.Next(1 + most) is { IsEmpty: false } piece)
        {
            reader.Append(piece);
        }

        using var received = reader.End(rest.Seal());
        var isSame = received.State.From(0).SequenceEqual(State());
        received.State.Dispose();
        return isSame;
    }

    /// <summary>If the session changed between two connections, nothing of the first one is used.</summary>
    [Fact]
    public void Begin_AnotherHeaderThanBefore_StartsAnew()
    {
        using var reader = Reader();
        reader.Begin(Pieces()[0]);
        reader.Append(new byte[600]);

        using var received = Receive(reader, Pieces([1, 2, 3, 4]));

        Assert.Equal([1, 2, 3, 4], received.Tokens);
        Assert.Equal(State(), received.State.From(0).ToArray());
        received.State.Dispose();
    }

    [Fact]
    public void Receive_OtherBinding_IsRefused()
    {
        var pieces = Pieces();
        foreach (var (session, tenant, binding, most) in new[]
        {
            ("b/t/other/m", "t", Binding, StateBytes),
            (Session, "other", Binding, StateBytes),
            (Session, "t", Binding with { Model = new byte[32] }, StateBytes),
            (Session, "t", Binding with { Layout = "other" }, StateBytes),
            (Session, "t", Binding with { Key = new byte[32] }, StateBytes),
            (Session, "t", Binding, StateBytes - 1),
        })
        {
            using var reader = new SnapshotReader(session, tenant, binding, most);
            Assert.True(IsRefused(() => Receive(reader, pieces)));
        }
    }

    [Fact]
    public void Receive_TooLittleOrTooMuch_IsRefused()
    {
        var (header, state, seal) = (Pieces()[0], Pieces()[1], Pieces()[2]);

        Assert.True(IsRefused(() => Receive(Reader(), [header, state[1..], seal])));
        Assert.True(IsRefused(() => Receive(Reader(), [header, [.. state, 0], seal])));
        Assert.True(IsRefused(() => Receive(Reader(), [header, state, seal[1..]])));
        Assert.True(IsRefused(() => Reader().Append([1])));
        Assert.True(IsRefused(() => Reader().End(seal)));
    }

    [Fact]
    public void Receive_TooLittleOrTooMuch_SaysHowMuch()
    {
        var (header, state, seal) = (Pieces()[0], Pieces()[1], Pieces()[2]);

        AssertRefused("7 of its 1000 bytes are missing", [header, state[7..], seal]);
        AssertRefused("at least 2 bytes more", [header, [.. state, 0, 0], seal]);

        static void AssertRefused(string reason, List<byte[]> pieces) => Assert.Contains(
            reason,
            Assert.Throws<InvalidDataException>(() => Receive(Reader(), pieces)).Message,
            StringComparison.Ordinal);
    }

    private static SessionState Receive(SnapshotReader reader, List<byte[]> pieces)
    {
        reader.Begin(pieces[0]);
        reader.Append(pieces[1]);
        return reader.End(pieces[2]);
    }

    private static List<byte[]> Pieces(int[]? tokens = null)
    {
        using var state = Sent(tokens);
        using var writer = Writer(state);
        return [[.. writer.Header], [.. writer.Next(StateBytes)], writer.Seal()];
    }

    private static SnapshotReader Reader() => new(Session, "t", Binding, StateBytes);

    private static SnapshotWriter Writer(SessionState state) => new(state, Session, Binding);

    private static SessionState Sent(int[]? tokens = null)
    {
        using var buffer = new StateBuffer(StateBytes);
        State().CopyTo(buffer.From(0));
        return new SessionState("a/t/c/m", "t", prefix: 5, tokens ?? [1, 2, 3], buffer);
    }

    private static byte[] State() => [.. Enumerable.Range(0, StateBytes).Select(i => (byte)(i * 31))];

    private static bool IsRefused(Action receive)
    {
        try
        {
            receive();
            return false;
        }
        catch (InvalidDataException)
        {
            return true;
        }
    }
}
