using System.Text.Json;
using Grpc.Core;
using Herd.Testing;
using Herd.V1;

namespace Herd.Cluster.Tests;

/// <summary>Backups of the embedded store of a cluster that runs.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class BackupTests : HerdCluster, IAsyncLifetime
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => new(Start());

    /// <summary>Taken under load, restored into a cluster whose store was lost.</summary>
    [Fact]
    public async Task Restore_StoreWasLost_ConversationsGoOn()
    {
        var conversation = (await New("Be brief.")).ConversationId;
        var turn = await Say(conversation, "Hello.", maxTokens: 4);
        using var load = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var loads = Enumerable.Range(0, 3).Select(_ => Converse(load.Token)).ToList();
        var file = NewPath("backup");

        var backup = await Json("store", "backup", file, "--json");

        await load.CancelAsync();
        await Task.WhenAll(loads);
        Assert.True(backup.GetProperty("conversations").GetInt32() >= 1);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        var usage = await Json("usage", "--json");

        Assert.Equal(0, (await Run("down")).ExitCode);
        Directory.Delete(Path.Combine(Home, "data", "store"), recursive: true);
        await Start();
        Assert.Empty((await Conversations.ListConversationsAsync(
            new ListConversationsRequest(), cancellationToken: Cancellation)).Conversations);
        var restored = await Json("store", "restore", file, "--json");

        Assert.Equal(
            backup.GetProperty("conversations").GetInt32(), restored.GetProperty("restored").GetInt32());
        Assert.Equal([turn], (await Read(conversation)).Turns);
        var next = await Say(conversation, "And again.", maxTokens: 4);
        Assert.Equal([turn, next], (await Read(conversation)).Turns);
        Assert.Equal("Be brief.", (await Read(conversation)).System);
        Assert.NotEqual(0, usage.GetArrayLength());

        // Again: nothing changes.
        var again = await Json("store", "restore", file, "--json");
        Assert.Equal(0, again.GetProperty("restored").GetInt32());
        Assert.Equal(restored.GetProperty("restored").GetInt32(), again.GetProperty("kept").GetInt32());
        Assert.Equal([turn, next], (await Read(conversation)).Turns);
    }

    [Fact]
    public async Task Restore_IntoARunningCluster_KeepsReplacesAndLeavesDeleted()
    {
        var (changed, deleted) = ((await New()).ConversationId, (await New()).ConversationId);
        var first = await Say(changed, "Hello.", maxTokens: 4);
        var file = NewPath("running");
        Assert.Equal(0, (await Run("store", "backup", file)).ExitCode);
        var second = await Say(changed, "More.", maxTokens: 4);
        await Conversations.DeleteConversationAsync(
            new DeleteConversationRequest { ConversationId = deleted }, cancellationToken: Cancellation);

        var kept = await Json("store", "restore", file, "--json");
        Assert.Equal((0, 1), (kept.GetProperty("restored").GetInt32(), kept.GetProperty("deleted").GetInt32()));
        Assert.Equal([first, second], (await Read(changed)).Turns);

        var replaced = await Json("store", "restore", file, "--replace", "--json");
        Assert.Equal(kept.GetProperty("kept").GetInt32(), replaced.GetProperty("replaced").GetInt32());
        Assert.Equal([first], (await Read(changed)).Turns);
        var next = await Say(changed, "Other.", maxTokens: 4);
        Assert.Equal([first, next], (await Read(changed)).Turns);
        await Assert.ThrowsAsync<RpcException>(() => Read(deleted));
    }

    [Fact]
    public async Task Restore_DamagedFile_IsRefusedAndChangesNothing()
    {
        var conversation = (await New()).ConversationId;
        await Say(conversation, "Hello.", maxTokens: 4);
        var file = NewPath("whole");
        Assert.Equal(0, (await Run("store", "backup", file)).ExitCode);
        var bytes = await File.ReadAllBytesAsync(file, Cancellation);
        await Say(conversation, "More.", maxTokens: 4);
        var turns = (await Read(conversation)).Turns;

        bytes[^200] ^= 1;
        await File.WriteAllBytesAsync(NewPath("flipped"), bytes, Cancellation);
        await File.WriteAllBytesAsync(NewPath("cut"), bytes[..^100], Cancellation);
        await File.WriteAllTextAsync(NewPath("none"), "no backup\n", Cancellation);
        foreach (var (name, expected) in new[]
        {
            ("flipped", "damaged"), ("cut", "ends early"), ("none", "no backup of Herd"), ("missing", "missing"),
        })
        {
            var result = await Run("store", "restore", NewPath(name), "--replace");
            Assert.Equal((1, ""), (result.ExitCode, result.Output));
            Assert.Contains(expected, result.Error, StringComparison.Ordinal);
            Assert.DoesNotContain(" at ", result.Error, StringComparison.Ordinal);
        }

        Assert.Equal(turns, (await Read(conversation)).Turns);
        Assert.Contains("whole", (await Run("store", "restore", file, "--check")).Output, StringComparison.Ordinal);
        Assert.Equal(turns, (await Read(conversation)).Turns);
        var twice = await Run("store", "backup", file);
        Assert.Equal(1, twice.ExitCode);
        Assert.Contains("exists", twice.Error, StringComparison.Ordinal);
    }

    private Task Start() => Up("--model", TinyModel.Write(NewPath("tiny.gguf")));

    private async Task Converse(CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                var conversation = (await New()).ConversationId;
                for (var i = 0; i < 3; i++)
                {
                    await Say(conversation, "Hello.", maxTokens: 8);
                    cancellation.ThrowIfCancellationRequested();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The backup is taken.
        }
    }

    private async Task<JsonElement> Json(params string[] arguments)
    {
        var result = await Run(arguments);
        Assert.True(result.ExitCode == 0, result.Error);
        return JsonDocument.Parse(result.Output).RootElement;
    }
}
