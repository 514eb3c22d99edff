using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Gateway.Doctor;
using Herd.Grains.Conversations.Deletions;
using Herd.Grains.Conversations.Failover.Poison;
using Herd.Grains.Conversations.Storage.Encryption;
using Herd.V1;
using LoadStage = Herd.Contracts.Nodes.LoadStage;
using ModelLoad = Herd.Contracts.Nodes.ModelLoad;
using NodeState = Herd.Contracts.Nodes.NodeState;

namespace Herd.Gateway.Tests.Doctor;

public sealed class DiagnosisTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly NodeFacts Facts = new()
    {
        Version = "1",
        Machine = "a",
        Time = Now,
        Cores = 4,
        Threads = 2,
        FreeMemory = 10,
        WantedMemory = 5,
        FreeDisk = 10L << 30,
        WantedDisk = 5L << 30,
        DiskPath = "/kv",
        Digest = new string('a', 64),
        IsCatalogued = true,
    };

    private static readonly ClusterFacts Well = new()
    {
        Gateway = new GatewayFacts(
            "gateway-1", "1", Now, IsKeyOpen: false, NeedsKeys: true, IsLocal: false, Now + TimeSpan.FromDays(60)),
        Store = new StoreFacts(
            null,
            TimeSpan.FromMilliseconds(1),
            HasPassword: true,
            new Dictionary<string, string> { ["aof_enabled"] = "1", ["maxmemory_policy"] = "noeviction" }),
        Nodes = [Node("node-1"), Node("node-2")],
        Suspects = [],
    };

    [Fact]
    public void From_NoFault_SaysSoForEverySubject()
    {
        var findings = Diagnosis.From(Well);

        Assert.Equal(
            [
                "nodes", "versions", "clocks", "store", "deletions", "encryption", "keys", "cores", "gpus", "memory",
                "disk", "models", "turns",
            ],
            findings.Select(finding => finding.Subject));
        Assert.All(findings, finding => Assert.Equal((Severity.Fine, ""), (finding.Severity, finding.Advice)));
        Assert.All(findings, finding => Assert.NotEmpty(finding.Found));
    }

    public static TheoryData<string, Severity, string> Faults => new()
    {
        { "none", Severity.Error, "nodes" },
        { "lost", Severity.Error, "nodes" },
        { "stalled", Severity.Error, "nodes" },
        { "mute", Severity.Warning, "nodes" },
        { "load failed", Severity.Error, "nodes" },
        { "unloaded", Severity.Warning, "nodes" },
        { "serves none", Severity.Warning, "nodes" },
        { "version", Severity.Warning, "versions" },
        { "ahead", Severity.Warning, "clocks" },
        { "behind", Severity.Warning, "clocks" },
        { "store away", Severity.Error, "store" },
        { "store slow", Severity.Warning, "store" },
        { "store open", Severity.Warning, "store" },
        { "store forgets", Severity.Warning, "store" },
        { "store evicts", Severity.Error, "store" },
        { "not erased", Severity.Warning, "deletions" },
        { "erasure failed", Severity.Error, "deletions" },
        { "overdue", Severity.Warning, "deletions" },
        { "not encrypted yet", Severity.Warning, "encryption" },
        { "cannot be encrypted", Severity.Error, "encryption" },
        { "key open", Severity.Warning, "keys" },
        { "gateway's key open", Severity.Warning, "keys" },
        { "no certificate", Severity.Warning, "keys" },
        { "certificate ends", Severity.Warning, "keys" },
        { "certificate ended", Severity.Error, "keys" },
        { "cores", Severity.Warning, "cores" },
        { "gpu", Severity.Error, "gpus" },
        { "memory", Severity.Warning, "memory" },
        { "disk", Severity.Warning, "disk" },
        { "disk full", Severity.Error, "disk" },
        { "other file", Severity.Error, "models" },
        { "no catalog", Severity.Warning, "models" },
        { "suspect", Severity.Warning, "turns" },
        { "poison", Severity.Error, "turns" },
    };

    /// <summary>Each fault is found alone, with an advice.</summary>
    [Theory]
    [MemberData(nameof(Faults))]
    public void From_OneFault_FindsOnlyThat(string fault, Severity severity, string subject)
    {
        var finding = Assert.Single(Diagnosis.From(With(fault)), found => found.Severity != Severity.Fine);

        Assert.Equal((severity, subject), (finding.Severity, finding.Subject));
        Assert.NotEmpty(finding.Advice);
    }

    [Fact]
    public void From_LoadFailed_SaysOfWhatWhyAndSinceWhen()
    {
        var finding = Assert.Single(
            Diagnosis.From(With("load failed")), found => found.Severity == Severity.Error);

        Assert.Equal(
            "node-2 serves no model since 2026-01-01 00:00:00Z: the load of 'm' failed: no such tensor", finding.Found);
    }

    [Fact]
    public void From_DiskFull_NamesFolderAndNode()
    {
        var finding = Assert.Single(Diagnosis.From(With("disk full")), found => found.Severity == Severity.Error);

        Assert.StartsWith(
            "There is no space in /kv of node-2: 4 KiB are free.", finding.Found, StringComparison.Ordinal);
    }

    [Fact]
    public void From_PoisonTurn_NamesTurnNodesAndDigest()
    {
        var finding = Assert.Single(Diagnosis.From(With("poison")), found => found.Severity == Severity.Error);

        Assert.Equal(
            "The turn turn_1 of conversation conv_1 (tenant 'alice') failed the nodes node-1, node-2. Content "
            + "dddddddddddd is refused until 2026-01-01 00:00:00Z.",
            finding.Found);
    }

    /// <summary>A node may fail under any turn.</summary>
    [Fact]
    public void From_ContentThatFailedOneNode_FindsNothing()
    {
        var facts = Well with { Suspects = [Suspect with { Nodes = ["node-1"] }] };

        Assert.All(Diagnosis.From(facts), finding => Assert.Equal(Severity.Fine, finding.Severity));
    }

    /// <summary>A file that failed its check changed nothing, so nothing is wrong.</summary>
    [Fact]
    public void From_LoadRefusedByANodeThatServes_FindsNothing()
    {
        var facts = Second(node => node with { Report = node.Report with { Load = LoadOf("m", "damaged") } });

        Assert.All(Diagnosis.From(facts), finding => Assert.Equal(Severity.Fine, finding.Severity));
    }

    private static ClusterFacts With(string fault) => fault switch
    {
        "none" => Well with { Nodes = [] },
        "lost" => Well with { Nodes = [Node("node-1"), Node("node-2", NodeState.Lost)] },
        "stalled" => Well with { Nodes = [Node("node-1"), Node("node-2", NodeState.Stalled)] },
        "mute" => Second(node => node with { Facts = null }),
        "load failed" => Empty(LoadOf("m", "no such tensor")),
        "unloaded" => Empty(LoadOf("", null)),
        "serves none" => Empty(null),
        "version" => Second(facts => facts with { Version = "2" }),
        "ahead" => Second(node => node with { Skew = TimeSpan.FromSeconds(3) }),
        "behind" => Second(node => node with { Skew = -TimeSpan.FromSeconds(3) }),
        "store away" => Well with { Store = Well.Store with { Failure = "gone" } },
        "store slow" => Well with { Store = Well.Store with { Wait = TimeSpan.FromMilliseconds(30) } },
        "store open" => Well with { Store = Well.Store with { HasPassword = false } },
        "store forgets" => Store("aof_enabled", "0"),
        "store evicts" => Store("maxmemory_policy", "allkeys-lru"),
        "not erased" => Erasure(Now - TimeSpan.FromMinutes(3), null),
        "erasure failed" => Erasure(Now, "NOPERM"),
        "overdue" => Well with { Store = Well.Store with { Overdue = 1 } },
        "not encrypted yet" => Encryption(new EncryptionState("old", Now, 0, 0)),
        "cannot be encrypted" => Encryption(new EncryptionState("new", Now, 0, 1)),
        "key open" => Second(facts => facts with { IsKeyOpen = true }),
        "gateway's key open" => Well with { Gateway = Well.Gateway with { IsKeyOpen = true } },
        "no certificate" => CertificateEnds(null),
        "certificate ends" => CertificateEnds(Now + TimeSpan.FromDays(3)),
        "certificate ended" => CertificateEnds(Now - TimeSpan.FromDays(3)),
        "cores" => Second(facts => facts with { Threads = 3 }),
        "gpu" => Second(facts => facts with { Gpu = 1 }),
        "memory" => Second(facts => facts with { FreeMemory = 4 }),
        "disk" => Second(facts => facts with { FreeDisk = 4L << 30 }),
        "disk full" => Second(facts => facts with { FreeDisk = 4 << 10 }),
        "other file" => Second(facts => facts with { Digest = new string('b', 64) }),
        "no catalog" => Second(facts => facts with { IsCatalogued = false }),
        "suspect" => Well with { Suspects = [Suspect] },
        "poison" => Well with { Suspects = [Suspect with { IsPoison = true }] },
        _ => throw new ArgumentOutOfRangeException(nameof(fault)),
    };

    /// <summary>Content that failed two nodes.</summary>
    private static SuspectContent Suspect { get; } = new SuspectContent
    {
        Digest = new string('d', 64), Tenant = "alice", Conversation = "conv_1", Turn = "turn_1", Expires = Now,
    }.AddFailure("node-1").AddFailure("node-2");

    private static ModelLoad LoadOf(string model, string? failure) => new()
    {
        Number = 2,
        Model = model,
        Stage = failure is null ? LoadStage.Served : LoadStage.Failed,
        Since = Now,
        Failure = failure,
    };

    private static ClusterFacts Empty(ModelLoad? load) =>
        Second(node => node with { Report = node.Report with { Models = [], Load = load } });

    private static ClusterFacts CertificateEnds(DateTimeOffset? time) =>
        Well with { Gateway = Well.Gateway with { CertificateEnds = time } };

    private static ClusterFacts Second(Func<NodeFacts, NodeFacts> change) =>
        Second(node => node with { Facts = change(node.Facts!) });

    private static ClusterFacts Second(Func<ExaminedNode, ExaminedNode> change) =>
        Well with { Nodes = [Well.Nodes[0], change(Well.Nodes[1])] };

    /// <summary>As soon after a deletion as that, the files cannot be rewritten yet.</summary>
    [Fact]
    public void From_DeletedJustNow_FindsNothing() => Assert.All(
        Diagnosis.From(Erasure(Now - TimeSpan.FromMinutes(1), null)),
        finding => Assert.Equal(Severity.Fine, finding.Severity));

    private static ClusterFacts Erasure(DateTimeOffset deleted, string? failure) => Well with
    {
        Store = Well.Store with
        {
            Erasure = new ErasureState(deleted.ToUnixTimeMilliseconds(), Until: 1, At: Now, failure),
        },
    };

    [Theory]
    [InlineData("new old", "all stored conversations are encrypted with the key 'new'; old can go")]
    [InlineData("new", "all stored conversations are encrypted with the key 'new'")]
    [InlineData("", "stored conversations are not encrypted (Cluster:StorageKeysFile)")]
    public void From_AllIsEncrypted_SaysWhichKeysCanGo(string keys, string expected)
    {
        var facts = Encryption(new EncryptionState("new", Now, 0, 0), keys);

        Assert.Equal(expected, Diagnosis.From(facts).Single(finding => finding.Subject == "encryption").Found);
    }

    private static ClusterFacts Encryption(EncryptionState state, string keys = "new old") => Well with
    {
        Store = Well.Store with
        {
            Keys = keys.Split(' ', StringSplitOptions.RemoveEmptyEntries), Encryption = state,
        },
    };

    private static ClusterFacts Store(string field, string value) => Well with
    {
        Store = Well.Store with
        {
            Described = new Dictionary<string, string>(Well.Store.Described) { [field] = value },
        },
    };

    private static ExaminedNode Node(string name, NodeState state = NodeState.Ready) => new(
        new NodeReport
        {
            Node = name, State = state, ProcessId = 1, Runtime = "none",
            Models = [new ServedModel
            {
                Id = "m",
                Description = "",
                ContextTokens = 1,
                Defaults = new GenerationSettings(),
            }],
        },
        state == NodeState.Ready ? Facts : null,
        TimeSpan.Zero);
}
