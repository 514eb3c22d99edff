using System.Security.Cryptography;
using System.Text;
using Herd.Testing;

namespace Herd.Cluster.Tests;

/// <summary>Two nodes and a gateway with the real model.</summary>
public sealed class RealCluster : HerdCluster, IAsyncLifetime
{
    public async ValueTask InitializeAsync() => await Up();
}

/// <summary>Two nodes and a gateway with the tiny model and two tenants, on a redis-server.</summary>
public sealed class TinyCluster : HerdCluster, IAsyncLifetime
{
    public const string Alice = "key-of-alice";
    public const string Bob = "key-of-bob";
    public const string Operator = "key-of-operators";

    private StoreProcess? _store;

    public async ValueTask InitializeAsync()
    {
        _store = await StoreProcess.StartRedis();
        SetEnvironment("Gateway__Tenants__alice", Hash(Alice));
        SetEnvironment("Gateway__Tenants__bob", Hash(Bob));
        SetEnvironment("Gateway__ClientReadTimeout", "00:00:03");
        SetEnvironment("HERD_API_KEY", Alice);
        SetEnvironment("Gateway__AdminKeys__0", Hash(Operator));
        SetEnvironment("HERD_ADMIN_KEY", Operator);
        var model = TinyModel.Write(NewPath("tiny.gguf"));
        await Up("--model", model, "--store", $"redis://{_store.Address}");
    }

    async ValueTask IAsyncDisposable.DisposeAsync()
    {
        await DisposeAsync();
        await _store!.DisposeAsync();
    }

    private static string Hash(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
}

/// <summary>Two nodes and two gateways with the real model.</summary>
public sealed class TwoGateways : HerdCluster, IAsyncLifetime
{
    public async ValueTask InitializeAsync() => await Up("--gateways", "2");
}

/// <summary>The cluster with the real model that classes share. They leave it as they find it.</summary>
[CollectionDefinition(nameof(RealCluster))]
public sealed class RealClusterCollection : ICollectionFixture<RealCluster>;

/// <summary>The cluster with the tiny model that classes share.</summary>
[CollectionDefinition(nameof(TinyCluster))]
public sealed class TinyClusterCollection : ICollectionFixture<TinyCluster>;
