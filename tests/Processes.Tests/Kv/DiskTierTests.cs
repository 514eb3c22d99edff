using System.Threading.Channels;
using Herd.Inference.Kv;
using Herd.Inference.Kv.Offload;
using Herd.Inference.Runtime;
using Herd.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Herd.Processes.Tests.Kv;

/// <summary>The disk of KV caches is real, and full. Mounting it takes root.</summary>
public sealed class DiskTierTests : IAsyncLifetime
{
    private const int StateBytes = 4 << 20;

    private readonly Channel<Action> _loop = Channel.CreateUnbounded<Action>();
    private SmallDisk _disk = null!;
    private DiskTier _tier = null!;

    private string Folder => Path.Combine(_disk.Path, "kv");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _disk = await SmallDisk.Mount("8m");
        _tier = new DiskTier(
            new KvDiskOptions(Folder, 64 << 20, new byte[32], new byte[32], null),
            "layout",
            action => _loop.Writer.TryWrite(action),
            TimeProvider.System,
            NullLogger.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        _tier.Dispose();
        await _disk.DisposeAsync();
    }

    /// <summary>A part of a file would take the space that is left.</summary>
    [Fact]
    public async Task Write_DiskGetsFull_LeavesNothingAndGoesOnWithSpace()
    {
        using var state = new StateBuffer(StateBytes);

        var first = await Write("a", state);
        var second = await Write("b", state);
        var files = Directory.GetFiles(Folder).Select(Path.GetExtension).Order();
        _tier.Delete("a");
        var third = await Write("b", state);

        Assert.InRange(first, StateBytes, long.MaxValue);
        Assert.Equal(0, second);
        Assert.Equal(["", ".kv"], files);
        Assert.Equal(first, third);
        Assert.Equal(StateBytes, (await Read("b"))?.Length);
    }

    /// <returns>The size of the session's file.</returns>
    private async Task<long> Write(string session, StateBuffer state)
    {
        var size = -1L;
        Assert.True(_tier.Write(New(session, state), bytes => size = bytes));
        (await _loop.Reader.ReadAsync(Cancellation))();
        return size;
    }

    private async Task<StateBuffer?> Read(string session)
    {
        StateBuffer? found = null;
        _tier.Read(New(session, null), (state, _) => found = state);
        (await _loop.Reader.ReadAsync(Cancellation))();
        return found;
    }

    private static OffloadedSession New(string session, StateBuffer? state) =>
        new(session, "tenant", prefix: 0, [1, 2, 3], StateBytes) { State = state };
}
