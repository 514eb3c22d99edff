using Herd.Testing;

namespace Herd.Cluster.Tests;

/// <summary>
/// The disk of 'herd up --data' fills and empties again. The store and the KV caches are on it. Mounting it takes root.
/// </summary>
public sealed class DiskFullTests : IAsyncLifetime
{
    private readonly HerdCluster _cluster = new();
    private SmallDisk _disk = null!;

    public async ValueTask InitializeAsync()
    {
        _disk = await SmallDisk.Mount("128m");
        var model = TinyModel.Write(_cluster.NewPath("tiny.gguf"));
        await _cluster.Up("--nodes", "1", "--model", model, "--data", _disk.Path);
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await _disk.DisposeAsync();
    }

    [Fact]
    public async Task Converse_DiskIsFullAndHasSpaceAgain_LosesNothing()
    {
        var conversation = (await _cluster.New()).ConversationId;
        await _cluster.Say(conversation, "Before.", maxTokens: 4);
        _disk.Fill();

        await _cluster.Say(conversation, "On a full disk.", maxTokens: 4);
        var full = await _cluster.Run("doctor");
        _disk.Empty();
        await _cluster.WaitForStoredTurn(conversation, 1, IsCompleted);
        await _cluster.Say(conversation, "After.", maxTokens: 4);
        await _cluster.WaitForStoredTurn(conversation, 2, IsCompleted);

        Assert.Equal(1, full.ExitCode);
        Assert.Contains($"There is no space in {_disk.Path}", full.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(
            "There is no space", (await _cluster.Run("doctor")).Output, StringComparison.Ordinal);
        Assert.Equal(3, (await _cluster.Read(conversation)).Turns.Count);
    }

    private static bool IsCompleted(string turn) =>
        turn.Contains("\"state\":\"Completed\"", StringComparison.Ordinal);
}
