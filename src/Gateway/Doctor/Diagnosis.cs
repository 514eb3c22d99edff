using System.Globalization;
using Herd.V1;
using NodeState = Herd.Contracts.Nodes.NodeState;

namespace Herd.Gateway.Doctor;

/// <summary>
/// Finds faults of a cluster, and faults that are about to happen, each with an advice. A pure function of the facts.
/// </summary>
internal static class Diagnosis
{
    private const string Renew = "Renew it. Gateways read it again when the file changes.";

    /// <summary>Bytes: with less free, no KV cache is written.</summary>
    private const long FullDisk = 1 << 20;

    private static readonly TimeSpan MaxSkew = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxStoreWait = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan CertificateNotice = TimeSpan.FromDays(14);

    private static readonly Check[] Checks =
    [
        new("nodes", Nodes, facts => $"{facts.Nodes.Count} are ready or load"),
        new("versions", Versions, facts => $"all are {facts.Gateway.Version}"),
        new("clocks", Clocks, _ => "within a second of each other"),
        new("store", Store, facts => $"answers in {Milliseconds(facts.Store.Wait)} and keeps what it acknowledges"),
        new("deletions", DeletionFindings.From, _ => "the store's files hold nothing of what was deleted"),
        new("encryption", EncryptionFindings.From, EncryptionFindings.Describe),
        new("keys", Keys, _ => "the cluster's key is private, and callers from other machines need a key"),
        new("cores", Cores, _ => "no more threads than cores"),
        new("gpus", Gpus, _ => "found by all nodes that were built for them"),
        new("memory", Memory, _ => "enough for full KV caches"),
        new("disk", Disk, _ => "enough for full KV caches"),
        new("models", Models, _ => "each name is the same file everywhere"),
        new("turns", PoisonFindings.From, _ => "none failed the nodes that computed it"),
    ];

    /// <param name="Subject">The subject of its findings.</param>
    /// <param name="Find">Finds the faults.</param>
    /// <param name="Fine">The finding if there are none.</param>
    private sealed record Check(
        string Subject, Func<ClusterFacts, IEnumerable<Finding>> Find, Func<ClusterFacts, string> Fine);

    public static IReadOnlyList<Finding> From(ClusterFacts facts) =>
    [
        .. from check in Checks
           from finding in check.Find(facts).DefaultIfEmpty(
               new Finding { Severity = Severity.Fine, Found = check.Fine(facts) })
           select new Finding(finding) { Subject = check.Subject },
    ];

    private static IEnumerable<Finding> Nodes(ClusterFacts facts)
    {
        if (facts.Nodes.All(node => node.Report.State != NodeState.Ready))
        {
            yield return Error(
                "No node is ready. Turns are refused.",
                facts.Nodes.Count == 0
                    ? "Start nodes with the same store and cluster key as this gateway."
                    : "Wait until a model is loaded, or read the nodes' logs.");
        }

        foreach (var node in facts.Nodes)
        {
            switch (node.Report.State)
            {
                case NodeState.Lost:
                    yield return Error(
                        $"{node.Report.Node} no longer reports.", "Check that its process and its machine run.");
                    break;
                case NodeState.Stalled:
                    yield return Error(
                        $"{node.Report.Node} is stalled: its current step does not end.",
                        "Restart it. If it happens again, check its GPU and driver (nvidia-smi, dmesg).");
                    break;
                case NodeState.Ready when node.Report is { Models.Count: 0, Load: { Failure: { } failure } load }:
                    yield return Error(
                        $"{node.Report.Node} serves no model since {load.Since:u}: the load of '{load.Model}' failed: "
                        + failure,
                        $"Mend that, then 'herd load {node.Report.Node} MODEL'.");
                    break;
                case NodeState.Ready when node.Report.Models.Count == 0:
                    yield return Warning(
                        $"{node.Report.Node} serves no model"
                        + (node.Report.Load is { } unload ? $" since {unload.Since:u}: it was unloaded." : "."),
                        $"'herd load {node.Report.Node} MODEL' gives it one.");
                    break;
                case NodeState.Ready when node.Facts is null:
                    yield return Warning(
                        $"{node.Report.Node} reports, but does not respond to an inspection.",
                        "It may be of an older version, or busy. Run the doctor again.");
                    break;
                default:
                    break;
            }
        }
    }

    private static IEnumerable<Finding> Versions(ClusterFacts facts)
    {
        var versions = Answering(facts)
            .Select(node => (Name: node.Report.Node, node.Facts!.Version))
            .Prepend((facts.Gateway.Name, facts.Gateway.Version))
            .GroupBy(process => process.Version, process => process.Name)
            .Select(group => $"{group.Key}: {string.Join(", ", group)}")
            .ToList();
        if (versions.Count > 1)
        {
            yield return Warning(
                string.Join("; ", versions),
                "Finish the upgrade, or go back. Only versions that follow each other work together.");
        }
    }

    private static IEnumerable<Finding> Clocks(ClusterFacts facts) => Answering(facts)
        .Where(node => node.Skew.Duration() > MaxSkew)
        .Select(node => Warning(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{node.Report.Node}'s clock is {node.Skew.TotalSeconds:+0.0;-0.0} s from {facts.Gateway.Name}'s."),
            "Set the clocks by NTP. Logs, traces and the retention of conversations depend on them."));

    private static IEnumerable<Finding> Store(ClusterFacts facts)
    {
        var store = facts.Store;
        if (store.Failure is not null)
        {
            yield return Error(
                $"It does not respond: {store.Failure}", "Check that it runs, and that Cluster:Store is its address.");
            yield break;
        }

        if (!store.HasPassword)
        {
            yield return Warning(
                "It asks for no password. Whoever reaches it reads and changes every conversation.",
                "Set one there (requirepass), write it to a file, and name that by Cluster:StorePasswordFile.");
        }

        if (store.Wait > MaxStoreWait)
        {
            yield return Warning(
                $"It answers in {Milliseconds(store.Wait)}. Each turn waits for it three times.",
                "Move it near the gateways.");
        }

        if (store.Described.TryGetValue("aof_enabled", out var appends) && appends == "0")
        {
            yield return Warning(
                "It does not write to disk before it acknowledges. Acknowledged turns are lost when it is killed.",
                "Set appendonly yes and appendfsync always.");
        }

        if (store.Described.TryGetValue("maxmemory_policy", out var policy) && policy is not ("" or "noeviction"))
        {
            yield return Error(
                $"It drops conversations when its memory is full ({policy}).", "Set maxmemory-policy noeviction.");
        }
    }

    private static IEnumerable<Finding> Keys(ClusterFacts facts)
    {
        var open = Answering(facts).Where(node => node.Facts!.IsKeyOpen).Select(node => node.Report.Node);
        foreach (var name in facts.Gateway.IsKeyOpen ? open.Append(facts.Gateway.Name) : open)
        {
            yield return Warning(
                $"Every user of the machine of {name} may read the cluster's key.",
                "Set mode 600 on the file of Cluster:KeyFile, or mount the secret with mode 0440.");
        }

        if (facts.Gateway is { NeedsKeys: true, IsLocal: false, CertificateEnds: null })
        {
            yield return Warning(
                "Clients send their keys without encryption.",
                "Set a certificate (Gateway:Certificate), or put a proxy with TLS before the gateway.");
        }

        if (facts.Gateway.CertificateEnds is { } ends && ends - facts.Gateway.Now < CertificateNotice)
        {
            yield return ends < facts.Gateway.Now
                ? Error($"The gateway's certificate expired on {ends:yyyy-MM-dd}.", Renew)
                : Warning($"The gateway's certificate expires on {ends:yyyy-MM-dd}.", Renew);
        }
    }

    private static IEnumerable<Finding> Cores(ClusterFacts facts) => Answering(facts)
        .Where(node => node.Facts!.Gpu != 2)
        .GroupBy(node => node.Facts!.Machine)
        .Select(machine => (
            machine.Key,
            Threads: machine.Sum(node => node.Facts!.Threads),
            Cores: machine.Max(node => node.Facts!.Cores),
            Nodes: machine.Count()))
        .Where(machine => machine.Threads > machine.Cores)
        .Select(machine => Warning(
            $"The {machine.Nodes} nodes on {machine.Key} have {machine.Threads} threads for {machine.Cores} cores.",
            "Lower Node:Threads, so that the nodes share the cores. Too many threads make every step slower."));

    private static IEnumerable<Finding> Gpus(ClusterFacts facts) => Answering(facts)
        .Where(node => node.Facts!.Gpu == 1)
        .Select(node => Error(
            $"{node.Report.Node} was built for GPUs, but finds none. It computes on its CPU.",
            "Check that nvidia-smi works there, that the pod requests nvidia.com/gpu, and that the driver fits."));

    private static IEnumerable<Finding> Memory(ClusterFacts facts) => Answering(facts)
        .Where(node => node.Facts!.FreeMemory < node.Facts.WantedMemory)
        .Select(node => Warning(
            $"{node.Report.Node} has {Size(node.Facts!.FreeMemory)} of memory free, but KV caches may need "
            + $"{Size(node.Facts.WantedMemory)} more. It may be killed when its sessions grow.",
            "Lower Node:KvHostBytes, or give it more memory."));

    private static IEnumerable<Finding> Disk(ClusterFacts facts) => Answering(facts)
        .Where(node => node.Facts!.FreeDisk < node.Facts.WantedDisk)
        .Select(node => node.Facts!.FreeDisk < FullDisk
            ? Error(
                $"There is no space in {node.Facts.DiskPath} of {node.Report.Node}: {node.Facts.FreeDisk >> 10} KiB "
                + "are free. Sessions that leave its memory are computed again.",
                "Free space there, or lower Node:KvDiskBytes.")
            : Warning(
                $"{node.Report.Node} has {Size(node.Facts!.FreeDisk)} of disk free, but KV caches may need "
                + $"{Size(node.Facts.WantedDisk)} more. When the disk is full, sessions are dropped.",
                "Lower Node:KvDiskBytes, or give it more disk."));

    private static IEnumerable<Finding> Models(ClusterFacts facts)
    {
        var served = Answering(facts)
            .Where(node => node.Facts!.Digest.Length > 0)
            .SelectMany(node => node.Report.Models.Select(model => (model.Id, node.Report.Node, Facts: node.Facts!)))
            .ToList();
        foreach (var model in served.GroupBy(copy => copy.Id))
        {
            if (model.Select(copy => copy.Facts.Digest).Distinct().Count() > 1)
            {
                var copies = model.Select(copy => $"{copy.Node} {copy.Facts.Digest[..12]}");
                yield return Error(
                    $"{model.Key} is not the same file everywhere: {string.Join("; ", copies)}. "
                    + "Answers differ, and KV caches cannot move.",
                    "Give all nodes the same file, or give the models different names.");
            }
        }

        foreach (var model in served.Where(copy => !copy.Facts.IsCatalogued).Select(copy => copy.Id).Distinct())
        {
            yield return Warning(
                $"{model} is not in the catalog, so its digest is not checked.",
                "Add it to catalog.json with its SHA-256 (models/README.md).");
        }
    }

    /// <summary>The nodes that answered the inspection.</summary>
    private static IEnumerable<ExaminedNode> Answering(ClusterFacts facts) =>
        facts.Nodes.Where(node => node.Facts is not null);

    private static string Size(long bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 30):0.0} GiB");

    private static string Milliseconds(TimeSpan time) =>
        string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0.0} ms");

    public static Finding Warning(string found, string advice) =>
        new() { Severity = Severity.Warning, Found = found, Advice = advice };

    public static Finding Error(string found, string advice) =>
        new() { Severity = Severity.Error, Found = found, Advice = advice };
}
