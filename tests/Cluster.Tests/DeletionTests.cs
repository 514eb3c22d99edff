using System.Diagnostics;
using System.Text;
using Herd.V1;
using static Herd.Cluster.Tests.TwoGateways;

namespace Herd.Cluster.Tests;

/// <summary>Deleted conversations are in no file of the cluster after a minute, nor on a node that was away.</summary>
[Collection(nameof(TwoGateways))]
public sealed class DeletionTests(TwoGateways cluster)
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    /// <summary>Long enough that the nodes write the KV cache to their disks.</summary>
    private static readonly string System = string.Concat(Enumerable.Repeat("Answer briefly. ", 300));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Delete_Conversation_IsGoneFromEveryFileAlsoOfANodeThatWasAway()
    {
        var canary = $"canary-{Guid.NewGuid():N}";
        var conversation = (await cluster.New($"{System} My secret is {canary}.")).ConversationId;
        var first = await cluster.Say(conversation, $"Remember {canary}.");
        await cluster.WaitForKvFile(first.Node, conversation);
        await cluster.Kill(first.Node);
        var second = await cluster.Say(conversation, "What is the capital of Italy?");
        Assert.NotEqual(first.Node, second.Node);
        await cluster.WaitForKvFile(second.Node, conversation);
        Assert.NotEmpty(Find(canary));

        await Delete(conversation);

        await WaitUntilGone(() => Find(canary));
        await WaitUntilGone(() => KvFiles(conversation).Where(file => file.Contains(second.Node)));
        Assert.NotEmpty(KvFiles(conversation));
        await cluster.Restore();
        await WaitUntilGone(() => KvFiles(conversation));
    }

    [Fact]
    public async Task Delete_WhileItIsAnswered_LeavesNothing()
    {
        var canary = $"canary-{Guid.NewGuid():N}";
        var conversation = (await cluster.New($"{System} My secret is {canary}.")).ConversationId;
        await cluster.Say(conversation, "Hello.", maxTokens: 4);

        var turn = await cluster.Say(
            conversation, Story, maxTokens: 500, ignoreEnd: true, onDelta: Once(() => Delete(conversation)));

        Assert.Equal(TurnState.Cancelled, turn.State);
        await WaitUntilGone(() => Find(canary));
        await WaitUntilGone(() => KvFiles(conversation));
        await Task.Delay(TimeSpan.FromSeconds(2), Cancellation);
        Assert.Empty(KvFiles(conversation));
    }

    private async Task Delete(string conversation) => await cluster.Conversations.DeleteConversationAsync(
        new DeleteConversationRequest { ConversationId = conversation }, cancellationToken: Cancellation);

    private static async Task WaitUntilGone(Func<IEnumerable<string>> find)
    {
        var started = Stopwatch.GetTimestamp();
        await Poll.Until(
            () => Task.FromResult(find().ToList()),
            files => files.Count == 0 || (Stopwatch.GetElapsedTime(started) > Minute
                ? throw new InvalidOperationException($"Still there after a minute: {string.Join(", ", files)}")
                : false));
    }

    /// <summary>The KV caches of a conversation on disk: their header names it.</summary>
    private IEnumerable<string> KvFiles(string conversation) => Find(conversation)
        .Where(file => Path.GetExtension(file) is ".kv" or ".draft");

    /// <summary>The files of the cluster that contain a text.</summary>
    private IEnumerable<string> Find(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return Directory.EnumerateFiles(cluster.Home, "*", SearchOption.AllDirectories)
            .Where(file => Contains(file, bytes));
    }

    private static bool Contains(string path, byte[] bytes)
    {
        try
        {
            using var file = File.Open(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var buffer = new byte[1 << 20];
            var kept = 0;
            while (file.Read(buffer, kept, buffer.Length - kept) is > 0 and var read)
            {
                if (buffer.AsSpan(0, kept + read).IndexOf(bytes) >= 0)
                {
                    return true;
                }

                var next = Math.Min(bytes.Length - 1, kept + read);
                buffer.AsSpan(kept + read - next, next).CopyTo(buffer);
                kept = next;
            }

            return false;
        }
        catch (IOException)
        {
            // It was removed meanwhile, or a node has locked it.
            return false;
        }
    }
}
