using Herd.Testing;

namespace Herd.Cluster.Tests;

/// <summary>
/// The disk of 'herd up --data' fills and empties again. The store and the KV caches are on it. Mounting it takes root.
/// </summary>
public sealed class DiskFullTests : IAsyncLifetime
{
    private readonly HerdCluster _cluster = new();
    private readonly DirectoryInfo _disk = Directory.CreateTempSubdirectory("herd-disk-");

    public async ValueTask InitializeAsync()
    {
        await Tool.Run("/", "mount", "-t", "tmpfs", "-o", "size=128m", "none", _disk.FullName);
        var model = TinyModel.Write(_cluster.NewPath("tiny.gguf"));
        await _cluster.Up("--nodes", "1", "--model", model, "--data", _disk.FullName);
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await Tool.Run("/", "umount", _disk.FullName);
        _disk.Delete();
    }

    [Fact]
    public async Task Converse_DiskIsFullAndHasSpaceAgain_LosesNothing()
    {
        var conversation = (await _cluster.New()).ConversationId;
        await _cluster.Say(conversation, "Before.", maxTokens: 4);
        var filler = Fill();

        await _cluster.Say(conversation, "On a full disk.", maxTokens: 4);
        var full = await _cluster.Run("doctor");
        File.Delete(filler);
        await _cluster.WaitForStoredTurn(conversation, 1, IsCompleted);
        await _cluster.Say(conversation, "After.", maxTokens: 4);
        await _cluster.WaitForStoredTurn(conversation, 2, IsCompleted);

        Assert.Equal(1, full.ExitCode);
        Assert.Contains($"There is no space in {_disk.FullName}", full.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(
            "There is no space", (await _cluster.Run("doctor")).Output, StringComparison.Ordinal);
        Assert.Equal(3, (await _cluster.Read(conversation)).Turns.Count);
    }

    private static bool IsCompleted(string turn) =>
        turn.Contains("\"state\":\"Completed\"", StringComparison.Ordinal);

    /// <summary>Leaves no byte free.</summary>
    private string Fill()
    {
        var path = Path.Combine(_disk.FullName, "filler");
        using var file = File.Create(path);
        try
        {
            while (true)
            {
                file.Write(new byte[4096]);
                file.Flush();
            }
        }
        catch (IOException)
        {
            return path;
        }
    }
}
