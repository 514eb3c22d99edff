using System.Text.RegularExpressions;
using Grpc.Core;
using Herd.Testing;
using Herd.V1;

namespace Herd.Cluster.Tests;

/// <summary>Conversations that nobody uses, with two gateways.</summary>
public sealed partial class RetentionTests : HerdCluster, IAsyncLifetime
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        SetEnvironment("Gateway__Retention", "00:00:15");
        await Up("--gateways", "2", "--model", TinyModel.Write(NewPath("tiny.gguf")));
    }

    [Fact]
    public async Task Retention_OneIsUsedAndOneIsNot_DeletesTheUnusedOne()
    {
        var unused = (await New()).ConversationId;
        await Say(unused, "Hello.", maxTokens: 4);
        var used = (await New()).ConversationId;

        // Each use comes well before the retention is over.
        await Poll.Until(
            async () =>
            {
                await Say(used, "Hello.", maxTokens: 4);
                await Task.Delay(TimeSpan.FromSeconds(2), Cancellation);
                return await Exists(unused);
            },
            exists => !exists);

        Assert.True(await Exists(used));
        var listed = await OtherConversations.ListConversationsAsync(
            new ListConversationsRequest(), cancellationToken: Cancellation);
        Assert.Equal([used], listed.Conversations.Select(conversation => conversation.ConversationId));
        await Poll.Until(
            async () => await Metrics(HttpPort) + await Metrics(HttpPort + 2),
            metrics => Deleted().Count(metrics) == 1);
    }

    [GeneratedRegex(@"herd_conversations_expired_total\S* 1 ?")]
    private static partial Regex Deleted();

    private async Task<bool> Exists(string conversation)
    {
        try
        {
            // The other gateway, so that no memory of the first one answers.
            await OtherConversations.GetConversationAsync(
                new GetConversationRequest { ConversationId = conversation }, cancellationToken: Cancellation);
            return true;
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
        {
            return false;
        }
    }

    private async Task<string> Metrics(int port)
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Authorization = new("Bearer", (await File.ReadAllTextAsync(
            NewPath("operator.key"), Cancellation)).Trim());
        return await http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/metrics"), Cancellation);
    }
}
