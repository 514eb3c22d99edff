using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Herd.Inference.Kv.Snapshots;

namespace Herd.Cli.Processes;

/// <summary>The settings of 'herd up'.</summary>
internal sealed record ClusterPlan
{
    public required int Nodes { get; init; }

    public required int Gateways { get; init; }

    public required string Model { get; init; }

    /// <summary>The runtime; empty means the native one of this build.</summary>
    public string Runtime { get; init; } = "";

    /// <summary>CPU threads of each node.</summary>
    public required int Threads { get; init; }

    public required int Slots { get; init; }

    /// <summary>The context of a conversation, in tokens; 0 means that of the model's training.</summary>
    public required int Context { get; init; }

    /// <summary>The first gateway's port; each further gateway's is two higher.</summary>
    public required int HttpPort { get; init; }

    public required int GrpcPort { get; init; }

    /// <summary>The address of the store; null starts an embedded one.</summary>
    public required string? Store { get; init; }

    /// <summary>The file of the password at a store that is given; null means none.</summary>
    public string? StorePasswordFile { get; init; }

    public required string Data { get; init; }

    public IEnumerable<int> GatewayPorts =>
        Enumerable.Range(0, Gateways).SelectMany(i => new[] { HttpPort + 2 * i, GrpcPort + 2 * i });

    /// <summary>The processes, in the order of their start.</summary>
    public IReadOnlyList<PlannedProcess> Processes()
    {
        var ports = FreePorts((2 * Gateways) + 1);
        var password = Store is null ? SecretFile.Make(HerdHome.StorePasswordFile) : StorePasswordFile;
        string[] store =
        [
            $"{StoreArgument}={Store ?? $"127.0.0.1:{Text(ports[0])}"}",
            .. password is null ? [] : new[] { $"{StorePasswordArgument}={password}" },
        ];
        return
        [
            .. Store is null
                ? new[]
                {
                    new PlannedProcess("store", "Store",
                    [
                        "--port", Text(ports[0]), "--data", Path.Combine(Data, "store"), "--password-file", password!,
                    ]),
                }
                : [],
            .. NewNodes(1, Nodes, store),
            .. Enumerable.Range(1, Gateways).Select(i => NewGateway(i, store, ports[2 * i - 1], ports[2 * i])),
        ];
    }

    /// <summary>The processes of nodes.</summary>
    /// <param name="first">The number of the first node, from 1.</param>
    /// <param name="count">The number of nodes.</param>
    /// <param name="store">The arguments by which they reach the store.</param>
    public IEnumerable<PlannedProcess> NewNodes(int first, int count, IReadOnlyList<string> store)
    {
        var ports = FreePorts(2 * count);
        return Enumerable.Range(0, count).Select(i =>
        {
            var name = $"node-{Text(first + i)}";
            return new PlannedProcess(name, "Silo",
            [
                .. Cluster(name, store, ports[2 * i]),
                $"--Cluster:LinkPort={Text(ports[(2 * i) + 1])}",
                $"--Node:Model={Model}",
                $"--Node:Catalog={HerdHome.Catalog}",
                $"--Node:Runtime={Runtime}",
                $"--Node:Threads={Text(Threads)}",
                $"--Node:Slots={Text(Slots)}",
                $"--Node:ContextTokens={Text(Context)}",
                $"--Node:KvDirectory={Path.Combine(Data, "kv", name)}",
            ]);
        });
    }

    private const string StoreArgument = "--Cluster:Store";
    private const string StorePasswordArgument = "--Cluster:StorePasswordFile";

    /// <summary>True for an argument by which a process reaches the store.</summary>
    public static bool IsOfStore(string argument) => argument.Split('=')[0] is StoreArgument or StorePasswordArgument;

    /// <summary>The argument that names a gateway's port for operators.</summary>
    public const string AdminPort = "--Gateway:AdminPort";

    /// <summary>The argument that names the file of the operators' key.</summary>
    public const string AdminKeyFile = "--Gateway:AdminKeyFile";

    /// <summary>The argument of a gateway with the file of the operators' key, created at the first start.</summary>
    public static string OperatorKeyArgument() => $"{AdminKeyFile}={SecretFile.Make(HerdHome.OperatorKeyFile)}";

    private PlannedProcess NewGateway(int number, IReadOnlyList<string> store, int port, int adminPort) => new(
        $"gateway-{Text(number)}",
        "Gateway",
    [
        .. Cluster($"gateway-{Text(number)}", store, port),
        $"--Gateway:HttpPort={Text(HttpPort + (2 * (number - 1)))}",
        $"--Gateway:GrpcPort={Text(GrpcPort + (2 * (number - 1)))}",
        $"{AdminPort}={Text(adminPort)}",
        OperatorKeyArgument(),
    ]);

    /// <summary>
    /// Finds free ports. All are bound until all are found, so none is returned twice. They are below the range of
    /// Linux for outgoing connections, which could take one before its process listens.
    /// </summary>
    private static List<int> FreePorts(int count)
    {
        const int First = 20_000;
        const int End = 32_768;
        var listeners = new List<TcpListener>();
        try
        {
            while (listeners.Count < count)
            {
                var listener = new TcpListener(IPAddress.Loopback, Random.Shared.Next(First, End));
                try
                {
                    listener.Start();
                    listeners.Add(listener);
                }
                catch (SocketException)
                {
                    // The port is taken.
                    listener.Dispose();
                }
            }

            return [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        }
        finally
        {
            listeners.ForEach(listener => listener.Dispose());
        }
    }

    private static IEnumerable<string> Cluster(string name, IReadOnlyList<string> store, int port) =>
    [
        $"--Cluster:Name={name}",
        .. store,
        $"--Cluster:SiloPort={Text(port)}",
        $"--Cluster:KeyFile={MakeKey()}",
    ];

    /// <summary>The file of the cluster's key, created at the first start.</summary>
    private static string MakeKey()
    {
        HerdHome.Create();
        var path = Path.Combine(HerdHome.Path, "cluster.key");
        try
        {
            SnapshotKey.ReadOrMake(path);
            return path;
        }
        catch (InvalidDataException e)
        {
            throw new CliException(e.Message);
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A process to start.</summary>
internal sealed record PlannedProcess(string Name, string Program, IReadOnlyList<string> Arguments);
