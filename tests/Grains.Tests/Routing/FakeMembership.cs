using System.Collections.Immutable;
using System.Net;
using System.Threading.Channels;
using Herd.Contracts.Nodes;
using Orleans.Metadata;

namespace Herd.Grains.Tests.Routing;

/// <summary>Members of a cluster. Its update streams ignore cancellation.</summary>
internal sealed class FakeMembership(GrainInterfaceTypeResolver interfaces)
    : IClusterMembershipService, IClusterManifestProvider
{
    private readonly Channel<Exception?> _members = Channel.CreateUnbounded<Exception?>();
    private readonly Channel<Exception?> _manifests = Channel.CreateUnbounded<Exception?>();
    private long _version;

    public ClusterMembershipSnapshot CurrentSnapshot { get; private set; } =
        new(ImmutableDictionary<SiloAddress, ClusterMember>.Empty, new MembershipVersion(0));

    public ClusterManifest Current { get; private set; } =
        new(MajorMinorVersion.Zero, ImmutableDictionary<SiloAddress, GrainManifest>.Empty);

    public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => Read(_members, () => CurrentSnapshot);

    public IAsyncEnumerable<ClusterManifest> Updates => Read(_manifests, () => Current);

    /// <summary>The manifest of a node.</summary>
    public GrainManifest LocalGrainManifest { get; } = Serving(interfaces.GetGrainInterfaceType(typeof(INodeGrain)));

    /// <summary>Makes the update stream of members or manifests fail once.</summary>
    public void Fail(bool members) =>
        (members ? _members : _manifests).Writer.TryWrite(new InvalidOperationException("the stream's"));

    /// <summary>Adds a node, and signals it on one of the update streams.</summary>
    public void Join(string node, bool toMembers)
    {
        var silo = Address(node);
        Current = new ClusterManifest(
            new MajorMinorVersion(++_version, 0), Current.Silos.SetItem(silo, LocalGrainManifest));
        CurrentSnapshot = new ClusterMembershipSnapshot(
            CurrentSnapshot.Members.SetItem(silo, new ClusterMember(silo, SiloStatus.Active, node)),
            new MembershipVersion(_version));
        (toMembers ? _members : _manifests).Writer.TryWrite(null);
    }

    public void Leave(string node)
    {
        CurrentSnapshot = new ClusterMembershipSnapshot(
            CurrentSnapshot.Members.Remove(Address(node)), new MembershipVersion(++_version));
        _members.Writer.TryWrite(null);
    }

    public ValueTask Refresh(
        MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public Task<bool> TryKill(SiloAddress siloAddress) => throw new NotSupportedException();

    private static SiloAddress Address(string node) =>
        SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 10_000 + node[0]), 1);

    private static async IAsyncEnumerable<T> Read<T>(Channel<Exception?> updates, Func<T> current)
    {
        await foreach (var fault in updates.Reader.ReadAllAsync(CancellationToken.None))
        {
            yield return fault is null ? current() : throw fault;
        }
    }

    private static GrainManifest Serving(GrainInterfaceType grain) => new(
        ImmutableDictionary<GrainType, GrainProperties>.Empty.Add(
            GrainType.Create("grain"),
            new GrainProperties(ImmutableDictionary.Create<string, string>(StringComparer.Ordinal).Add(
                $"{WellKnownGrainTypeProperties.ImplementedInterfacePrefix}0", grain.ToString()))),
        ImmutableDictionary<GrainInterfaceType, GrainInterfaceProperties>.Empty);
}
