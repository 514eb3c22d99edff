namespace Herd.Cluster.Tests;

/// <summary>Two nodes and a gateway with the real model.</summary>
public sealed class RealCluster : HerdCluster, IAsyncLifetime
{
    public async ValueTask InitializeAsync() => await Up();
}

/// <summary>The cluster with the real model that classes share. They leave it as they find it.</summary>
[CollectionDefinition(nameof(RealCluster))]
public sealed class RealClusterCollection : ICollectionFixture<RealCluster>;
