using System.Collections.Immutable;
using System.Net;
using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Grains.Hosting.Lifetime;
using Herd.Grains.Nodes.Drain;
using Herd.Inference.Generation;
using Herd.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Metadata;
using Orleans.Serialization;
using Orleans.Serialization.TypeSystem;

namespace Herd.Grains.Tests.Nodes.Drain;

public sealed class NodeDrainTests : IAsyncLifetime
{
    private readonly SimulatedHost _node = new();
    private readonly Written _log = new();

    public async ValueTask InitializeAsync() => await _node.Start();

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    /// <summary>
    /// The caller that requested another model has its reply already, so a failure must not leave the node draining for
    /// ever.
    /// </summary>
    [Fact]
    public async Task Switch_NodeCannotBeEmptied_IsLoggedAndGoesOn()
    {
        await Drain(null!, new Membership(_ => throw new InvalidOperationException("Nobody knows."))).Switch("");

        await _node.Until(report => report is { State: NodeState.Ready, Models.Count: 0 });
        Assert.Equal([(413, LogLevel.Error)], _log.Events);
    }

    /// <summary>The gateway of the conversation has just died, or was fenced. Another gateway owns it soon.</summary>
    [Theory]
    [InlineData(typeof(SiloUnavailableException))]
    [InlineData(typeof(HerdException))]
    public async Task Empty_ConversationIsElsewhere_IsAskedAgain(Type failure)
    {
        await Answer("c");
        var (grains, conversation) = LostConversation.New(
            failure == typeof(HerdException)
                ? new HerdException(HerdError.Conflict, "It continued elsewhere.")
                : new SiloUnavailableException("gone"));

        await Drain(grains, new Membership(WithAGateway)).Empty(TestContext.Current.CancellationToken);

        Assert.Equal(3, conversation.Asked);
        Assert.Equal([(410, LogLevel.Information)], _log.Events);
    }

    [Fact]
    public async Task Empty_NoGatewayIsLeft_IsAskedOnce()
    {
        await Answer("c");
        var (grains, conversation) = LostConversation.New(new SiloUnavailableException("gone"));
        var asked = 0;

        await Drain(grains, new Membership(gateway => asked++ == 0 ? WithAGateway(gateway) : [])).Empty(
            TestContext.Current.CancellationToken);

        Assert.Equal(1, conversation.Asked);
        Assert.Equal([(411, LogLevel.Warning), (410, LogLevel.Information)], _log.Events);
    }

    /// <summary>Four sessions move at a time.</summary>
    [Fact]
    public async Task Empty_ManySessionsAtRest_MigratesTheLastUsedFirst()
    {
        foreach (var conversation in new[] { "1", "2", "3", "4", "5", "6" })
        {
            await Answer(conversation);
        }

        var (grains, conversations) = RestingConversations.New(atATime: 4);
        var emptying = Drain(grains, new Membership(WithAGateway)).Empty(TestContext.Current.CancellationToken);
        await conversations.AllAsked.WaitAsync(TestContext.Current.CancellationToken);
        var first = conversations.Asked;
        conversations.Go();
        await emptying;

        Assert.Equal(["3", "4", "5", "6"], first.Order());
        Assert.Equal(["1", "2"], conversations.Asked.Except(first).Order());
    }

    private static Dictionary<SiloAddress, ClusterMember> WithAGateway(SiloAddress gateway) =>
        new() { [gateway] = new ClusterMember(gateway, SiloStatus.Active, "gateway") };

    private NodeDrain Drain(IGrainFactory grains, Membership membership) => new(
        _node.Host, grains, membership, membership, membership.Interfaces,
        new Eviction(_node.Lifetime, NullLogger<Eviction>.Instance),
        _node.Node,
        _node.Cluster,
        TimeProvider.System, _node.Lifetime, _log);

    /// <summary>Leaves a session at rest.</summary>
    private async Task Answer(string conversation)
    {
        var model = _node.Host.Loaded!;
        var request = new GenerationRequest
        {
            Session = GrainKey.Session("node-1", "t", conversation, model.Id), Prompt = [1, 2, 3], MaxTokens = 2,
        };
        await foreach (var update in model.Engine.Generate(request, TestContext.Current.CancellationToken))
        {
            // Until it is over.
        }
    }

    /// <summary>A cluster whose membership lists one gateway.</summary>
    private sealed class Membership : IClusterMembershipService, IClusterManifestProvider
    {
        private static readonly SiloAddress Gateway = SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 1), 1);

        private readonly Func<SiloAddress, Dictionary<SiloAddress, ClusterMember>> _members;

        public Membership(Func<SiloAddress, Dictionary<SiloAddress, ClusterMember>> members)
        {
            _members = members;
            using var services = new ServiceCollection().AddSerializer().BuildServiceProvider();
            Interfaces = new GrainInterfaceTypeResolver([], services.GetRequiredService<TypeConverter>());
            var served = new GrainProperties(ImmutableDictionary.Create<string, string>(StringComparer.Ordinal).Add(
                $"{WellKnownGrainTypeProperties.ImplementedInterfacePrefix}0",
                Interfaces.GetGrainInterfaceType(typeof(IConversationGrain)).ToString()));
            var grains = new GrainManifest(
                ImmutableDictionary<GrainType, GrainProperties>.Empty.Add(GrainType.Create("conversation"), served),
                ImmutableDictionary<GrainInterfaceType, GrainInterfaceProperties>.Empty);
            Current = new ClusterManifest(
                new MajorMinorVersion(1, 0), ImmutableDictionary<SiloAddress,
                GrainManifest>.Empty.Add(Gateway, grains));
        }

        public GrainInterfaceTypeResolver Interfaces { get; }

        public ClusterManifest Current { get; }

        public IAsyncEnumerable<ClusterManifest> Updates => throw new NotSupportedException();

        public GrainManifest LocalGrainManifest => throw new NotSupportedException();

        public ClusterMembershipSnapshot CurrentSnapshot =>
            new(_members(Gateway).ToImmutableDictionary(), new MembershipVersion(1));

        public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => throw new NotSupportedException();

        public ValueTask Refresh(
            MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default) =>
                throw new NotSupportedException();

        public Task<bool> TryKill(SiloAddress siloAddress) => throw new NotSupportedException();
    }

    private sealed class Written : RecordingLogger, ILogger<NodeDrain>
    {
        public List<(int Event, LogLevel Level)> Events { get; } = [];

        protected override void Record(LogLevel level, int id, string line) => Events.Add((id, level));
    }
}
