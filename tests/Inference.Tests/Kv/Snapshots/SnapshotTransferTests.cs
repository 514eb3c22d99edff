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
        using var receiver = Receiver();

        using var received = Receive(receiver, Pieces());

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

        return IsRefused(() => Receive(Receiver(), pieces));
    }

    /// <summary>A transfer whose connection breaks anywhere resumes there, over any number of connections.</summary>
    [Property(MaxTest = 100)]
    public bool Receive_BrokenAnywhere_ResumesThere(ushort first, ushort second, byte most)
    {
        using var receiver = Receiver();
        foreach (var position in new[] { first % StateBytes, second % StateBytes })
        {
            using var sent = Sent();
            using var sender = Sender(sent);
            receiver.Begin(sender.Header);
            sender.Skip(receiver.Received);
            while (receiver.Received < position && sender.Next(1 + most) is { IsEmpty: false } piece)
            {
                receiver.Append(piece);
            }
        }

        using var last = Sent();
        using var rest = Sender(last);
        receiver.Begin(rest.Header);
        rest.Skip(receiver.Received);
        while (rest.Next(1 + most) is { IsEmpty: false } piece)
        {
            receiver.Append(piece);
        }

        using var received = receiver.End(rest.Seal());
        var isSame = received.State.From(0).SequenceEqual(State());
        received.State.Dispose();
        return isSame;
    }

    /// <summary>If the session changed between two connections, nothing of the first one is used.</summary>
    [Fact]
    public void Begin_AnotherHeaderThanBefore_StartsAnew()
    {
        using var receiver = Receiver();
        receiver.Begin(Pieces()[0]);
        receiver.Append(new byte[600]);

        using var received = Receive(receiver, Pieces([1, 2, 3, 4]));

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
            using var receiver = new SnapshotReceiver(session, tenant, binding, most);
            Assert.True(IsRefused(() => Receive(receiver, pieces)));
        }
    }

    [Fact]
    public void Receive_TooLittleOrTooMuch_IsRefused()
    {
        var (header, state, seal) = (Pieces()[0], Pieces()[1], Pieces()[2]);

        Assert.True(IsRefused(() => Receive(Receiver(), [header, state[1..], seal])));
        Assert.True(IsRefused(() => Receive(Receiver(), [header, [.. state, 0], seal])));
        Assert.True(IsRefused(() => Receive(Receiver(), [header, state, seal[1..]])));
        Assert.True(IsRefused(() => Receiver().Append([1])));
        Assert.True(IsRefused(() => Receiver().End(seal)));
    }

    [Fact]
    public void Receive_TooLittleOrTooMuch_SaysHowMuch()
    {
        var (header, state, seal) = (Pieces()[0], Pieces()[1], Pieces()[2]);

        AssertRefused("7 of its 1000 bytes are missing", [header, state[7..], seal]);
        AssertRefused("at least 2 bytes more", [header, [.. state, 0, 0], seal]);

        static void AssertRefused(string reason, List<byte[]> pieces) => Assert.Contains(
            reason,
            Assert.Throws<InvalidDataException>(() => Receive(Receiver(), pieces)).Message,
            StringComparison.Ordinal);
    }

    private static SessionState Receive(SnapshotReceiver receiver, List<byte[]> pieces)
    {
        receiver.Begin(pieces[0]);
        receiver.Append(pieces[1]);
        return receiver.End(pieces[2]);
    }

    private static List<byte[]> Pieces(int[]? tokens = null)
    {
        using var state = Sent(tokens);
        using var sender = Sender(state);
        return [[.. sender.Header], [.. sender.Next(StateBytes)], sender.Seal()];
    }

    private static SnapshotReceiver Receiver() => new(Session, "t", Binding, StateBytes);

    private static SnapshotSender Sender(SessionState state) => new(state, Session, Binding);

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
