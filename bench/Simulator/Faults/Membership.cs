using System.Collections.Immutable;
using System.Threading.Channels;
using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Orleans.Metadata;

namespace Herd.Simulator.Faults;

/// <summary>The members of the cluster, as Orleans reports them to every process.</summary>
internal sealed class Membership(GrainInterfaceTypeResolver interfaces)
    : IClusterMembershipService, IClusterManifestProvider
{
    private readonly GrainManifest _node = Serving(interfaces.GetGrainInterfaceType(typeof(INodeGrain)));
    private readonly GrainManifest _gateway = Serving(interfaces.GetGrainInterfaceType(typeof(IConversationGrain)));
    private readonly List<Channel<ClusterMembershipSnapshot>> _watchers = [];
    private long _version;

    public ClusterMembershipSnapshot CurrentSnapshot { get; private set; } =
        new(ImmutableDictionary<SiloAddress, ClusterMember>.Empty, new MembershipVersion(0));

    public ClusterManifest Current { get; private set; } =
        new(MajorMinorVersion.Zero, ImmutableDictionary<SiloAddress, GrainManifest>.Empty);

    public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => Updated();

    /// <summary>Manifests change only with members, and their updates report that.</summary>
    public IAsyncEnumerable<ClusterManifest> Updates => Never();

    public GrainManifest LocalGrainManifest => throw new NotSupportedException();

    /// <summary>Adds a process to the members, or changes its status.</summary>
    public void Set(SimulatedProcess process, SiloStatus status)
    {
        Current = new ClusterManifest(
            new MajorMinorVersion(_version + 1, 0),
            Current.Silos.SetItem(process.Silo, process is NodeProcess ? _node : _gateway));
        Change(CurrentSnapshot.Members.SetItem(process.Silo, new ClusterMember(process.Silo, status, process.Name)));
    }

    /// <summary>Removes a process from the members.</summary>
    public void Remove(SiloAddress silo) => Change(CurrentSnapshot.Members.Remove(silo));

    public ValueTask Refresh(
        MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public Task<bool> TryKill(SiloAddress siloAddress) => throw new NotSupportedException();

    private static GrainManifest Serving(GrainInterfaceType grain) => new(
        ImmutableDictionary<GrainType, GrainProperties>.Empty.Add(
            GrainType.Create("grain"),
            new GrainProperties(ImmutableDictionary.Create<string, string>(StringComparer.Ordinal).Add(
                $"{WellKnownGrainTypeProperties.ImplementedInterfacePrefix}0", grain.ToString()))),
        ImmutableDictionary<GrainInterfaceType, GrainInterfaceProperties>.Empty);

    private static async IAsyncEnumerable<ClusterManifest> Never()
    {
        await Task.CompletedTask;
        yield break;
    }

    private void Change(ImmutableDictionary<SiloAddress, ClusterMember> members)
    {
        CurrentSnapshot = new ClusterMembershipSnapshot(members, new MembershipVersion(++_version));
        _watchers.ForEach(watcher => watcher.Writer.TryWrite(CurrentSnapshot));
    }

    private IAsyncEnumerable<ClusterMembershipSnapshot> Updated()
    {
        var watcher = Channel.CreateUnbounded<ClusterMembershipSnapshot>();
        _watchers.Add(watcher);
        return watcher.Reader.ReadAllAsync();
    }
}
