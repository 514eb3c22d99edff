using System.Globalization;
using Herd.V1;
using NodeState = Herd.Contracts.Nodes.NodeState;

namespace Herd.Gateway.Doctor;

/// <summary>What is wrong with a cluster, or will be, and what to do. A pure function of what was found.</summary>
internal static class Diagnosis
{
    private static readonly TimeSpan WorstSkew = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SlowStore = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan CertificateNotice = TimeSpan.FromDays(14);

    private static readonly (string Subject, Func<ClusterFacts, IEnumerable<Finding>> Find, Func<ClusterFacts, string> Fine)[] Checks =
    [
        ("nodes", Nodes, facts => $"{facts.Nodes.Count} take work or load"),
        ("versions", Versions, facts => $"all are {facts.Gateway.Version}"),
        ("clocks", Clocks, _ => "within a second of each other"),
        ("store", Store, facts => string.Create(CultureInfo.InvariantCulture, $"answers in {facts.Store.Wait.TotalMilliseconds:0.0} ms and keeps what it acknowledges")),
        ("keys", Keys, _ => "the cluster's key is private, and whoever calls from elsewhere needs one"),
        ("cores", Cores, _ => "no more threads compute than there are cores"),
        ("gpus", Gpus, _ => "found where they are meant to be used"),
        ("memory", Memory, _ => "enough for the KV caches that may come"),
        ("disk", Disk, _ => "enough for the KV caches that may come"),
        ("models", Models, _ => "the same file wherever one has the same name"),
    ];

    public static IReadOnlyList<Finding> From(ClusterFacts facts) =>
    [
        .. Checks.SelectMany(check => check.Find(facts).DefaultIfEmpty(new Finding { Severity = Severity.Fine, Found = check.Fine(facts) }).Select(finding =>
        {
            finding.Subject = check.Subject;
            return finding;
        })),
    ];

    private static IEnumerable<Finding> Nodes(ClusterFacts facts)
    {
        if (facts.Nodes.All(node => node.Report.State != NodeState.Ready))
        {
            yield return Error(
                "No node takes work; turns are refused.",
                facts.Nodes.Count == 0 ? "Start nodes with the same store and cluster key as this gateway." : "Wait until a model is loaded, or read the nodes' logs.");
        }

        foreach (var node in facts.Nodes)
        {
            switch (node.Report.State)
            {
                case NodeState.Lost:
                    yield return Error($"{node.Report.Node} no longer reports.", "Look whether its process and its machine are there.");
                    break;
                case NodeState.Stalled:
                    yield return Error($"{node.Report.Node} computes, and no step ends.", "Restart it; when it comes again, look at its GPU and driver (nvidia-smi, dmesg).");
                    break;
                case NodeState.Ready when node.Facts is null:
                    yield return Warning($"{node.Report.Node} reports, and does not answer questions.", "It may be of an older version, or busy; ask again.");
                    break;
                default:
                    break;
            }
        }
    }

    private static IEnumerable<Finding> Versions(ClusterFacts facts)
    {
        var versions = Asked(facts).Select(node => (node.Report.Node, node.Facts!.Version)).Prepend((facts.Gateway.Name, facts.Gateway.Version)).ToList();
        if (versions.Select(process => process.Version).Distinct().Count() > 1)
        {
            yield return Warning(
                string.Join("; ", versions.GroupBy(process => process.Version).Select(group => $"{group.Key}: {string.Join(", ", group.Select(process => process.Item1))}")),
                "Finish the upgrade, or go back; versions that are neighbours work together.");
        }
    }

    private static IEnumerable<Finding> Clocks(ClusterFacts facts) => Asked(facts)
        .Where(node => node.Skew.Duration() > WorstSkew)
        .Select(node => Warning(
            string.Create(CultureInfo.InvariantCulture, $"{node.Report.Node} is {node.Skew.TotalSeconds:+0.0;-0.0} s from {facts.Gateway.Name}."),
            "Set the clocks by NTP: times in logs and traces, and when stored things end, go by them."));

    private static IEnumerable<Finding> Store(ClusterFacts facts)
    {
        var store = facts.Store;
        if (store.Failure is not null)
        {
            yield return Error($"It does not answer: {store.Failure}", "Look whether it runs, and whether Cluster:Store is right.");
            yield break;
        }

        if (store.Wait > SlowStore)
        {
            yield return Warning(
                string.Create(CultureInfo.InvariantCulture, $"It answers in {store.Wait.TotalMilliseconds:0} ms."),
                "Each turn waits for it twice; put it near the gateways.");
        }

        if (store.Described.TryGetValue("aof_enabled", out var appends) && appends == "0")
        {
            yield return Warning("It keeps nothing on disk at once.", "Set appendonly yes and appendfsync always, or turns that were acknowledged are lost when it is killed.");
        }

        if (store.Described.TryGetValue("maxmemory_policy", out var policy) && policy.Length > 0 && policy != "noeviction")
        {
            yield return Error($"It drops conversations when its memory is full ({policy}).", "Set maxmemory-policy noeviction.");
        }
    }

    private static IEnumerable<Finding> Keys(ClusterFacts facts)
    {
        foreach (var name in Asked(facts).Where(node => node.Facts!.IsKeyOpen).Select(node => node.Report.Node).Concat(facts.Gateway.IsKeyOpen ? [facts.Gateway.Name] : []))
        {
            yield return Warning($"Everybody on the machine of {name} may read the cluster's key.", "chmod 600 the file that Cluster:KeyFile names, or mount the secret with mode 0440.");
        }

        if (facts.Gateway is { AsksForKeys: true, IsLocal: false, CertificateEnds: null })
        {
            yield return Warning("Keys are sent without encryption.", "Give the gateway a certificate (Gateway:Certificate), or put what ends TLS before it.");
        }

        if (facts.Gateway.CertificateEnds is { } ends && ends - facts.Gateway.Now < CertificateNotice)
        {
            yield return ends < facts.Gateway.Now
                ? Error($"The gateway's certificate ended on {ends:yyyy-MM-dd}.", "Renew it; gateways read it again when the file changes.")
                : Warning($"The gateway's certificate ends on {ends:yyyy-MM-dd}.", "Renew it; gateways read it again when the file changes.");
        }
    }

    private static IEnumerable<Finding> Cores(ClusterFacts facts) => Asked(facts)
        .Where(node => node.Facts!.Gpu != 2)
        .GroupBy(node => node.Facts!.Machine)
        .Select(machine => (machine.Key, Threads: machine.Sum(node => node.Facts!.Threads), Cores: machine.Max(node => node.Facts!.Cores), Nodes: machine.Count()))
        .Where(machine => machine.Threads > machine.Cores)
        .Select(machine => Warning(
            $"On {machine.Key} {machine.Nodes} nodes compute with {machine.Threads} threads on {machine.Cores} cores.",
            "Divide the cores by Node:Threads; threads that wait for each other make every step slower."));

    private static IEnumerable<Finding> Gpus(ClusterFacts facts) => Asked(facts)
        .Where(node => node.Facts!.Gpu == 1)
        .Select(node => Error(
            $"{node.Report.Node} was built for GPUs and finds none; it computes on its CPU.",
            "Look whether nvidia-smi works there, whether the pod asks for nvidia.com/gpu, and whether the driver fits."));

    private static IEnumerable<Finding> Memory(ClusterFacts facts) => Asked(facts)
        .Where(node => node.Facts!.FreeMemory < node.Facts.WantedMemory)
        .Select(node => Warning(
            $"{node.Report.Node} has {Size(node.Facts!.FreeMemory)} free, and KV caches may take {Size(node.Facts.WantedMemory)} more.",
            "Lower Node:KvHostBytes, or give it more memory; else it is killed when its sessions grow."));

    private static IEnumerable<Finding> Disk(ClusterFacts facts) => Asked(facts)
        .Where(node => node.Facts!.FreeDisk < node.Facts.WantedDisk)
        .Select(node => Warning(
            $"{node.Report.Node} has {Size(node.Facts!.FreeDisk)} of disk free, and KV caches may take {Size(node.Facts.WantedDisk)} more.",
            "Lower Node:KvDiskBytes, or give it more disk; sessions are forgotten where it is full."));

    private static IEnumerable<Finding> Models(ClusterFacts facts)
    {
        var served = Asked(facts).Where(node => node.Facts!.Digest.Length > 0).SelectMany(node => node.Report.Models.Select(model => (model.Id, node))).ToList();
        foreach (var model in served.GroupBy(pair => pair.Id).Where(model => model.Select(pair => pair.node.Facts!.Digest).Distinct().Count() > 1))
        {
            yield return Error(
                $"{model.Key} is not the same file everywhere: {string.Join("; ", model.Select(pair => $"{pair.node.Report.Node} {pair.node.Facts!.Digest[..12]}"))}.",
                "Give all nodes the same file, or the models different names: answers differ, and KV caches cannot move.");
        }

        foreach (var model in served.Where(pair => !pair.node.Facts!.IsCatalogued).Select(pair => pair.Id).Distinct())
        {
            yield return Warning($"{model} is not in the catalog, so nobody compares its digest.", "Add it to catalog.json with its SHA-256 (models/README.md).");
        }
    }

    private static IEnumerable<ExaminedNode> Asked(ClusterFacts facts) => facts.Nodes.Where(node => node.Facts is not null);

    private static string Size(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 30):0.0} GiB");

    private static Finding Warning(string found, string advice) => new() { Severity = Severity.Warning, Found = found, Advice = advice };

    private static Finding Error(string found, string advice) => new() { Severity = Severity.Error, Found = found, Advice = advice };
}
