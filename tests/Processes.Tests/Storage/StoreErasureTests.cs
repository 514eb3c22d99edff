using System.Text;
using Herd.Contracts.Conversations;
using Herd.Grains.Conversations.Deletions;
using Herd.Grains.Conversations.Storage;
using Herd.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;

namespace Herd.Processes.Tests.Storage;

/// <summary>The files of the store, after something was deleted.</summary>
public abstract class StoreErasureTests(Func<Task<StoreProcess>> start) : IAsyncLifetime
{
    private readonly string _canary = $"canary-{Guid.NewGuid():N}";
    private StoreProcess _server = null!;
    private StoreConnection _connection = null!;
    private RedisConversationStore _store = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await start();
        var options = ConfigurationOptions.Parse(_server.Address);
        options.AllowAdmin = true;
        options.AbortOnConnectFail = false;
        _connection = new StoreConnection(options);
        await _connection.StartAsync(Cancellation);
        _store = new RedisConversationStore(_connection, TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        await _server.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Erase_ConversationDeleted_IsInNoFileAndTheOthersAreKept()
    {
        await Write("gone", $"{_canary}-gone");
        await Write("kept", $"{_canary}-kept");
        using var erasure = New();
        await WaitUntil(() => Files($"{_canary}-gone").Count > 0);
        await _store.Delete("t", "gone");

        Assert.True(await erasure.EraseIfDue(Cancellation));
        await WaitUntil(() => Files($"{_canary}-gone").Count == 0);

        Assert.False((await ErasureState.Read(_connection.Database)).IsPending);
        await _server.Kill();
        await _server.Restart();
        Assert.Null(await Read("gone"));
        Assert.Contains($"{_canary}-kept", (await Read("kept"))!.Turns[0].Input[0].Text, StringComparison.Ordinal);
        Assert.Empty(Files($"{_canary}-gone"));
    }

    [Fact]
    public async Task Erase_TurnDeleted_IsInNoFile()
    {
        var stored = await Write("c", "first", $"{_canary} last");
        await _store.Write("t", stored, stored.Conversation with { Turns = [stored.Conversation.Turns[0]] }, 0, "one");
        using var erasure = New();

        Assert.True(await erasure.EraseIfDue(Cancellation));

        await WaitUntil(() => Files(_canary).Count == 0);
        Assert.Equal("first", (await Read("c"))!.Turns.Single().Input[0].Text);
    }

    [Fact]
    public async Task Erase_NothingWasDeleted_DoesNothing()
    {
        await Write("c", "text");
        using var erasure = New();

        Assert.False(await erasure.EraseIfDue(Cancellation));
        Assert.False(await erasure.EraseIfDue(Cancellation));
    }

    /// <summary>As of many gateways: one does it for all.</summary>
    [Fact]
    public async Task Erase_ManyAtOnce_OneDoesIt()
    {
        await Write("c", "text");
        await _store.Delete("t", "c");
        var all = Enumerable.Range(0, 8).Select(_ => New()).ToList();

        var did = await Task.WhenAll(all.Select(erasure => erasure.EraseIfDue(Cancellation)));

        Assert.Single(did, isDone => isDone);
        Assert.False(await all[0].EraseIfDue(Cancellation));
        all.ForEach(erasure => erasure.Dispose());
    }

    private StoreErasure New() => new(_connection, TimeProvider.System, NullLogger<StoreErasure>.Instance);

    private Task<StoredConversation> Write(string id, params string[] texts) => _store.Write(
        "t",
        null,
        new Conversation
        {
            Id = id,
            Created = DateTimeOffset.UnixEpoch,
            Turns =
            [
                .. texts.Select((text, i) => new Turn
                {
                    Id = $"{i}",
                    State = TurnState.Pending,
                    Input = [new Message(Contracts.Conversations.Role.User, text)],
                    Created = DateTimeOffset.UnixEpoch,
                    Settings = new GenerationSettings(),
                }),
            ],
        },
        0,
        "one");

    private async Task<Conversation?> Read(string id)
    {
        while (true)
        {
            try
            {
                return (await _store.Read("t", id, Cancellation))?.Conversation;
            }
            catch (RedisException)
            {
                // It connects again.
                await Task.Delay(50, Cancellation);
            }
        }
    }

    /// <summary>Redis writes behind; the embedded store erases its log behind, and Redis its old files.</summary>
    private static async Task WaitUntil(Func<bool> isSo)
    {
        while (!isSo())
        {
            await Task.Delay(50, Cancellation);
        }
    }

    private List<string> Files(string text) =>
    [
        .. Directory.EnumerateFiles(_server.Data, "*", SearchOption.AllDirectories).Where(file =>
        {
            try
            {
                return File.ReadAllBytes(file).AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) >= 0;
            }
            catch (IOException)
            {
                // It was removed meanwhile.
                return false;
            }
        }),
    ];
}

public sealed class GarnetErasureTests() : StoreErasureTests(() => StoreProcess.StartGarnet());

public sealed class RedisErasureTests() : StoreErasureTests(() => StoreProcess.StartRedis())
{
    /// <summary>Its files would keep what was deleted.</summary>
    [Fact]
    public async Task Rewrite_ReplicaIsNotNamed_SaysSo()
    {
        await using var primary = await StoreProcess.StartRedis();
        await using var replica = await StoreProcess.StartRedis(replicaOf: primary.Port);
        await using var connection = new StoreConnection(
            ConfigurationOptions.Parse($"{primary.Address},allowAdmin=true"));
        await connection.StartAsync(TestContext.Current.CancellationToken);
        var files = new StoreFiles(connection, TimeProvider.System);

        string? failure;
        while ((failure = await files.Rewrite(TestContext.Current.CancellationToken)) is null)
        {
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        Assert.StartsWith("1 of the store's replicas", failure, StringComparison.Ordinal);
    }
}
