using Herd.Contracts.Nodes;
using Herd.Grains.Hosting;
using Herd.Grains.Hosting.Configuration;
using Herd.Grains.Hosting.Identity;
using Herd.Inference.Models;
using Herd.Inference.Runtime;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Nodes;

/// <summary>Inspects this node's process and machine.</summary>
internal sealed class NodeInspection(
    NodeHost host,
    ILlamaRuntime runtime,
    IOptions<NodeOptions> options,
    IOptions<ClusterOptions> cluster,
    TimeProvider time)
{
    public NodeFacts Look()
    {
        var node = options.Value;
        var load = host.Loaded?.Engine.Load;
        var disk = node is { KvDirectory.Length: > 0, KvDiskBytes: > 0 } ? Path.GetFullPath(node.KvDirectory) : "";
        return new NodeFacts
        {
            Version = BuildInfo.Version,
            Machine = Environment.MachineName,
            Time = time.GetUtcNow(),
            Cores = Environment.ProcessorCount,
            Threads = node.Threads > 0 ? node.Threads : Environment.ProcessorCount,
            Gpu = (int)runtime.Gpu,
            FreeMemory = HostMemory.Free(),
            WantedMemory = Math.Max(0, node.KvHostBytes - (load?.HostBytes ?? 0)),
            FreeDisk = disk.Length > 0 ? new DriveInfo(disk).AvailableFreeSpace : 0,
            WantedDisk = disk.Length > 0 ? Math.Max(0, node.KvDiskBytes - (load?.DiskBytes ?? 0)) : 0,
            DiskPath = disk,
            IsKeyOpen = FilePermissions.IsReadableByOthers(cluster.Value.KeyFile),
            Digest = host.Loaded?.Digest ?? "",
            IsCatalogued = host.Loaded?.IsCatalogued ?? false,
        };
    }
}
