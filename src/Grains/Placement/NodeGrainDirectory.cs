using Orleans.GrainDirectory;

namespace Herd.Grains.Placement;

/// <summary>
/// The directory of grains that are placed by their key. It is empty, because the key names the node. So the death of
/// one node does not affect the grains of another, as the loss of a part of Orleans' own directory would.
/// </summary>
internal sealed class NodeGrainDirectory : IGrainDirectory
{
    public const string Name = "herd-node";

    public Task<GrainAddress?> Register(GrainAddress address) => Task.FromResult<GrainAddress?>(address);

    public Task<GrainAddress?> Register(GrainAddress address, GrainAddress? previousAddress) => Register(address);

    public Task Unregister(GrainAddress address) => Task.CompletedTask;

    public Task<GrainAddress?> Lookup(GrainId grainId) => Task.FromResult<GrainAddress?>(null);

    public Task UnregisterSilos(List<SiloAddress> siloAddresses) => Task.CompletedTask;
}
