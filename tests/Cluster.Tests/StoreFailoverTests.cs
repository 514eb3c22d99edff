using Grpc.Core;
using Herd.Testing;
using Herd.V1;
using StackExchange.Redis;

namespace Herd.Cluster.Tests;

/// <summary>A store with a replica that takes over.</summary>
public sealed class StoreFailoverTests : IAsyncLifetime
{
    private readonly HerdCluster _cluster = new();
    private StoreProcess _primary = null!;
    private StoreProcess _replica = null!;
    private ConnectionMultiplexer _admin = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _primary = await StoreProcess.StartRedis();
        _replica = await StoreProcess.StartRedis(replicaOf: _primary.Port);
        _admin = await ConnectionMultiplexer.ConnectAsync($"{_replica.Address},allowAdmin=true");
        while (!(await Replica.InfoAsync("replication")).SelectMany(section => section)
            .Contains(new("master_link_status", "up")))
        {
            await Task.Delay(50, Cancellation);
        }

        _cluster.SetEnvironment("Cluster__StoreReplicas", "1");
        await _cluster.Up(
            "--gateways",
            "2",
            "--model",
            TinyModel.Write(_cluster.NewPath("tiny.gguf")),
            "--store",
            $"{_primary.Address},{_replica.Address}");
    }

    private IServer Replica => _admin.GetServer(_replica.Address);

    /// <summary>
    /// Acknowledged turns are in the new store though no process holds them in memory. A running answer goes on.
    /// </summary>
    [Fact]
    public async Task Converse_StoreFailsOverInMidStream_GoesOnAndForgetsNothing()
    {
        var conversation = (await _cluster.New()).ConversationId;
        var first = await _cluster.Say(conversation, "before", maxTokens: 8);
        var lost = false;
        var second = await _cluster.Say(conversation, "meanwhile", maxTokens: 1500, onDelta: async (_, _) =>
        {
            if (!lost)
            {
                lost = true;
                await _primary.Kill();
                await Replica.MakePrimaryAsync(ReplicationChangeOptions.None);
            }
        });

        Assert.Equal((true, TurnState.Completed), (lost, second.State));

        // The new primary has no replica yet, so turns are reported as unsaved. Then it gets one.
        await using var again = await StoreProcess.StartRedis(replicaOf: _replica.Port);
        var third = await Saved(conversation, "after");
        await _cluster.Kill("gateway-1");

        var stored = (await _cluster.OtherConversations.GetConversationAsync(
            new GetConversationRequest { ConversationId = conversation },
            cancellationToken: Cancellation)).Conversation;

        Assert.Equal([first, second, third], stored.Turns);

        // Memory may be stale. A missing turn is not reported as never taken.
        await _replica.Kill();
        using var call = _cluster.OtherConversations.Converse(
            new ConverseRequest
            {
                ConversationId = conversation,
                Text = "x",
                TurnId = "x",
                Resume = new AnswerOffset { Bytes = 3, Tokens = 1 },
            },
            cancellationToken: Cancellation);
        var error = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(Cancellation));
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
    }

    /// <summary>Takes turns until one is saved.</summary>
    private async Task<Turn> Saved(string conversation, string text)
    {
        var request = new ConverseRequest { ConversationId = conversation, Text = text, MaxTokens = 4, TurnId = text };
        while (true)
        {
            using var call = _cluster.Conversations.Converse(request, cancellationToken: Cancellation);
            while (await call.ResponseStream.MoveNext(Cancellation))
            {
                if (call.ResponseStream.Current.Completed is { Unsaved: false } completed)
                {
                    return completed.Turn;
                }
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        // Their store is gone: an orderly end would wait for it.
        await Task.WhenAll(new[] { "node-1", "node-2", "gateway-2" }.Select(_cluster.Kill));
        await _cluster.DisposeAsync();
        await _admin.DisposeAsync();
        await _replica.DisposeAsync();
        await _primary.DisposeAsync();
    }
}
