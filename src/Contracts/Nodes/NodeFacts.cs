namespace Herd.Contracts.Nodes;

/// <summary>Facts about a node's process and machine, for diagnosis.</summary>
[GenerateSerializer, Immutable, Alias("herd.NodeFacts")]
public sealed record NodeFacts
{
    /// <summary>The build.</summary>
    [Id(0)] public required string Version { get; init; }

    /// <summary>The machine's name, or the container's.</summary>
    [Id(1)] public required string Machine { get; init; }

    /// <summary>The time by the node's clock.</summary>
    [Id(2)] public required DateTimeOffset Time { get; init; }

    /// <summary>CPU cores that the process may use.</summary>
    [Id(3)] public int Cores { get; init; }

    /// <summary>CPU threads that compute.</summary>
    [Id(4)] public int Threads { get; init; }

    /// <summary>0: built for CPUs. 1: built for GPUs, and none found. 2: found.</summary>
    [Id(5)] public int Gpu { get; init; }

    /// <summary>Bytes of available memory.</summary>
    [Id(6)] public long FreeMemory { get; init; }

    /// <summary>Bytes of host memory that KV caches may still use.</summary>
    [Id(7)] public long WantedMemory { get; init; }

    /// <summary>Free bytes on the disk of KV caches; 0 without a disk tier.</summary>
    [Id(8)] public long FreeDisk { get; init; }

    /// <summary>Bytes that KV caches may still use there.</summary>
    [Id(9)] public long WantedDisk { get; init; }

    /// <summary>True if every user of the machine may read the file with the cluster's key.</summary>
    [Id(10)] public bool IsKeyOpen { get; init; }

    /// <summary>The SHA-256 of the loaded model, in hexadecimal; empty if none is loaded.</summary>
    [Id(11)] public string Digest { get; init; } = "";

    /// <summary>True if the catalog has the model, so that its digest was compared.</summary>
    [Id(12)] public bool IsCatalogued { get; init; }

    /// <summary>The folder of KV caches on disk; empty without a disk tier.</summary>
    [Id(13)] public string DiskPath { get; init; } = "";
}
