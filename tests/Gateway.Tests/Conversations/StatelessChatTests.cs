using System.Reflection;
using System.Runtime.CompilerServices;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Conversations;
using Herd.Gateway.Hosting;
using Herd.Gateway.Telemetry;
using Herd.Gateway.Tenants;
using Herd.Grains.Accounting.Limits;
using Herd.Grains.Conversations;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Conversations.Turns.Events;
using Herd.Grains.Routing;
using Herd.Grains.Scaling;
using Herd.Testing;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Gateway.Tests.Conversations;

public sealed class StatelessChatTests : IDisposable
{
    private const string Id = "http_1";

    private readonly FakeTimeProvider _time = new();
    private readonly NodeRegistry _registry;
    private readonly Quotas _quotas;
    private readonly GatewayMetrics _metrics;
    private readonly GatewayDrain _drain;
    private readonly Admission _admission;
    private readonly ShardGrains _grains = (ShardGrains)(object)DispatchProxy.Create<IGrainFactory, ShardGrains>();
    private readonly StatelessChat _chat;

    public StatelessChatTests()
    {
        _registry = new NodeRegistry(Pools.None, _time);
        var router = new Router(_registry, Options.Create(new RoutingOptions()), _time);
        _quotas = new Quotas(new LocalCounts(_time));
        _metrics = new GatewayMetrics(_registry, () => [], () => 0);
        _drain = new GatewayDrain(_time);
        _admission = new Admission(router, Options.Create(new GatewayOptions()));
        _chat = new StatelessChat(new ConversationClient(
            (IGrainFactory)(object)_grains,
            new TurnEventReader(new LocalEventChannels()),
            Always.Return<IConversationStore>(null),
            new StoredBytes(Always.Return<IByteLimits>(Task.CompletedTask)),
            _quotas,
            _admission,
            _metrics,
            _drain,
            _time));
    }

    [Fact]
    public async Task Begin_ConcurrentRequests_EachMakesOneCallToAShardOfItsOwn()
    {
        var sessions = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            sessions.Add((await Begin()).Session);
        }

        Assert.Equal([Id, $"{Id}_1", $"{Id}_2", $"{Id}_3", $"{Id}_4"], sessions);
        Assert.Equal(sessions, _grains.Calls);
    }

    [Fact]
    public async Task Begin_ShardIsBusyAtAnotherGateway_TriesTheNext()
    {
        _grains.BusyElsewhere.UnionWith([Id, $"{Id}_1"]);

        Assert.Equal($"{Id}_2", (await Begin()).Session);
        Assert.Equal([Id, $"{Id}_1", $"{Id}_2"], _grains.Calls);
    }

    /// <summary>A client sends its next request as soon as it has the answer.</summary>
    [Fact]
    public async Task Begin_TurnIsCompleteAndItsStreamOpen_ShardIsFree()
    {
        var events = (await Begin()).Events;
        while (events.Current.Completed is null)
        {
            await events.ReadNext();
        }

        Assert.Equal(Id, (await Begin()).Session);
    }

    [Fact]
    public async Task Begin_TurnWasCancelled_ShardIsFree()
    {
        await (await Begin()).Events.DisposeAsync();

        Assert.Equal(Id, (await Begin()).Session);
    }

    [Fact]
    public async Task Begin_TurnFailed_ShardIsFree()
    {
        _grains.Failure = new HerdException(HerdError.Overloaded, "Full.");
        await Assert.ThrowsAsync<HerdException>(Begin);
        _grains.Failure = null;

        Assert.Equal(Id, (await Begin()).Session);
    }

    [Fact]
    public async Task Begin_AllShardsAreBusy_Refuses()
    {
        for (var i = 0; i < 256; i++)
        {
            await Begin();
        }

        var error = await Assert.ThrowsAsync<HerdException>(Begin);

        Assert.Equal(HerdError.Overloaded, error.Error);
        Assert.Equal(256, _grains.Calls.Count);
    }

    public void Dispose()
    {
        _metrics.Dispose();
        _drain.Dispose();
        _admission.Dispose();
    }

    private Task<(string Session, IAsyncEnumerator<TurnEvent> Events)> Begin() => _chat.Begin(
        new Tenant(Tenant.Everybody, TenantRole.User, new TenantLimits()),
        Id,
        new TurnRequest { TurnId = "turn_1", Input = [], Settings = new GenerationSettings() },
        TestContext.Current.CancellationToken);

    /// <summary>The grains of shards. Records the shard of each call.</summary>
    public class ShardGrains : DispatchProxy
    {
        /// <summary>The ids of the shards that were called, in order.</summary>
        public List<string> Calls { get; } = [];

        /// <summary>The ids of the shards in which another gateway has a turn.</summary>
        public HashSet<string> BusyElsewhere { get; } = [];

        internal HerdException? Failure { get; set; }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            var shard = ((string)args![0]!).Split('/')[^1];
            return Always.Return<IConversationGrain>(Converse(shard, TestContext.Current.CancellationToken));
        }

        private async IAsyncEnumerable<TurnEvent> Converse(
            string shard, [EnumeratorCancellation] CancellationToken cancellation)
        {
            Calls.Add(shard);
            await Task.Yield();
            if ((BusyElsewhere.Contains(shard)
                ? new HerdException(HerdError.TurnInProgress, "Busy.")
                : Failure) is { } error)
            {
                throw error;
            }

            cancellation.ThrowIfCancellationRequested();
            yield return new TurnEvent { Started = new TurnStarted("turn_1", "model", "node-1") };
            yield return new TurnEvent
            {
                Completed = new Turn
                {
                    Id = "turn_1",
                    State = TurnState.Completed,
                    Input = [],
                    Created = DateTimeOffset.UnixEpoch,
                    Settings = new GenerationSettings(),
                },
            };
        }
    }
}
