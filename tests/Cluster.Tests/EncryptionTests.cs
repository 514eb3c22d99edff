using System.Security.Cryptography;
using Herd.Testing;

namespace Herd.Cluster.Tests;

/// <summary>Stored conversations under keys that change.</summary>
public sealed class EncryptionTests : HerdCluster, IAsyncLifetime
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => new(UpWith("one"));

    [Fact]
    public async Task Keys_Rotated_NoFileOfTheStoreHasTheTextAndConversationsGoOn()
    {
        var canary = $"canary-{Guid.NewGuid():N}";
        var conversation = (await New()).ConversationId;
        var first = await Say(conversation, canary, maxTokens: 4);
        Assert.All(
            Directory.EnumerateFiles(Path.Combine(Home, "data", "store"), "*", SearchOption.AllDirectories),
            file => Assert.DoesNotContain(canary, File.ReadAllText(file, System.Text.Encoding.Latin1),
                StringComparison.Ordinal));

        foreach (var file in Directory.EnumerateFiles(
            Path.Combine(Home, "data", "kv"), "*.kv", SearchOption.AllDirectories))
        {
            Assert.Equal("HERDKVEN"u8.ToArray(), (await File.ReadAllBytesAsync(file, Cancellation))[..8]);
        }

        await Restart("two", "one");
        Assert.Equal([first], (await Read(conversation)).Turns);
        await Poll.Until(
            () => Run("doctor"), doctor => doctor.Output.Contains("'two'; one can go", StringComparison.Ordinal));
        await Restart("two");
        var second = await Say(conversation, "More.", maxTokens: 4);

        Assert.Equal([first, second], (await Read(conversation)).Turns);
        Assert.Equal(0, (await Run("store", "backup", NewPath("backup"))).ExitCode);
        Assert.DoesNotContain(
            canary, await File.ReadAllTextAsync(NewPath("backup"), Cancellation), StringComparison.Ordinal);
        Assert.Equal(0, (await Run("store", "restore", NewPath("backup"), "--replace")).ExitCode);
        Assert.Equal([first, second], (await Read(conversation)).Turns);
    }

    private async Task Restart(params string[] names)
    {
        Assert.Equal(0, (await Run("down")).ExitCode);
        await UpWith(names);
    }

    private async Task UpWith(params string[] names)
    {
        var file = NewPath("storage.keys");
        await File.WriteAllLinesAsync(
            file,
            names.Select(name => $"{name} {Convert.ToBase64String(SHA256.HashData([.. name.Select(c => (byte)c)]))}"),
            Cancellation);
        await Tool.Run("/", "chmod", "600", file);
        SetEnvironment("Cluster__StorageKeysFile", file);
        await Up("--model", TinyModel.Write(NewPath("tiny.gguf")));
    }
}
