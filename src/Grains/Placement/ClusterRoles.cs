using Orleans.Metadata;

namespace Herd.Grains.Placement;

/// <summary>Distinguishes nodes and gateways by the grains that they have.</summary>
internal static class ClusterRoles
{
    public static bool Serves(this ClusterManifest manifest, SiloAddress silo, GrainInterfaceType grain) =>
        manifest.Silos.TryGetValue(silo, out var grains)
        && grains.Grains.Values.Any(known => known.Properties.Any(property =>
            property.Key.StartsWith(WellKnownGrainTypeProperties.ImplementedInterfacePrefix, StringComparison.Ordinal)
            && property.Value == grain.ToString()));
}
