using Herd.Testing;

namespace Herd.Cluster.Tests;

/// <summary>
/// The disk of 'herd up --data' fills and empties again. The store, the KV caches and the logs are on it. Mounting it
/// takes root.
/// </summary>
public sealed class DiskFullTests : IAsyncLifetime
{
    private readonly HerdCluster _cluster = new();
    private SmallDisk _disk = null!;

    public async ValueTask InitializeAsync()
    {
        _disk = await SmallDisk.Mount("128m");
        File.CreateSymbolicLink(_cluster.NewPath("logs"), Directory.CreateDirectory(LogsOnDisk).FullName);
        var model = TinyModel.Write(_cluster.NewPath("tiny.gguf"));
        await _cluster.Up("--nodes", "1", "--model", model, "--data", _disk.Path);
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await _disk.DisposeAsync();
    }

    /// <summary>Each operator's call, such as doctor's, leaves a line in the gateway's log.</summary>
    [Fact]
    public async Task Converse_DiskIsFullAndHasSpaceAgain_LosesNothing()
    {
        var conversation = (await _cluster.New()).ConversationId;
        await _cluster.Say(conversation, "Before.", maxTokens: 4);
        _disk.Fill();

        await _cluster.Say(conversation, "On a full disk.", maxTokens: 4);
        var full = await _cluster.Run("doctor");
        var logged = Logged();
        _disk.Empty();
        await _cluster.WaitForStoredTurn(conversation, 1, IsCompleted);
        await _cluster.Say(conversation, "After.", maxTokens: 4);
        await _cluster.WaitForStoredTurn(conversation, 2, IsCompleted);

        Assert.Equal(1, full.ExitCode);
        Assert.Contains($"There is no space in {_disk.Path}", full.Output, StringComparison.Ordinal);
        Assert.Contains($"There is no space in {_cluster.NewPath("logs")}", full.Output, StringComparison.Ordinal);
        Assert.Contains(" of node-1: ", full.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(
            "There is no space", (await _cluster.Run("doctor")).Output, StringComparison.Ordinal);
        Assert.Equal(3, (await _cluster.Read(conversation)).Turns.Count);
        Assert.True(Logged() > logged, "The gateway logs nothing since its disk was full.");
    }

    private string LogsOnDisk => Path.Combine(_disk.Path, "logs");

    private long Logged() => new FileInfo(Path.Combine(LogsOnDisk, "gateway-1.log")).Length;

    private static bool IsCompleted(string turn) =>
        turn.Contains("\"state\":\"Completed\"", StringComparison.Ordinal);
}
