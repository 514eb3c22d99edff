using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Herd.Inference.Kv;

namespace Herd.Cli.Processes;

/// <summary>What 'herd up' was asked for.</summary>
internal sealed record ClusterPlan
{
    public required int Nodes { get; init; }

    public required int Gateways { get; init; }

    public required string Model { get; init; }

    /// <summary>What computes; empty means the native runtime that was built in.</summary>
    public string Runtime { get; init; } = "";

    /// <summary>CPU threads of each node.</summary>
    public required int Threads { get; init; }

    public required int Slots { get; init; }

    /// <summary>Tokens that a conversation can hold; 0 means as many as the model was trained for.</summary>
    public required int Context { get; init; }

    /// <summary>The first gateway's; the next ones' are two higher each.</summary>
    public required int HttpPort { get; init; }

    public required int GrpcPort { get; init; }

    /// <summary>Null starts an embedded one.</summary>
    public required string? Store { get; init; }

    public required string Data { get; init; }

    public IEnumerable<int> GatewayPorts =>
        Enumerable.Range(0, Gateways).SelectMany(i => new[] { HttpPort + 2 * i, GrpcPort + 2 * i });

    /// <summary>Every process, in the order in which they are started.</summary>
    public IReadOnlyList<PlannedProcess> Processes()
    {
        var processes = new List<PlannedProcess>();
        var ports = FreePorts(2 * Nodes + Gateways + 1);
        var key = MakeKey();
        var store = Store ?? $"127.0.0.1:{ports[0]}";
        if (Store is null)
        {
            processes.Add(new PlannedProcess("store", "Store", ["--port", Text(ports[0]), "--data", Path.Combine(Data, "store")]));
        }

        for (var i = 0; i < Nodes; i++)
        {
            processes.Add(new PlannedProcess($"node-{i + 1}", "Silo",
            [
                .. Cluster($"node-{i + 1}", store, ports[1 + i], key),
                $"--Cluster:LinkPort={Text(ports[1 + Nodes + Gateways + i])}",
                $"--Node:Model={Model}",
                $"--Node:Catalog={HerdHome.Catalog}",
                $"--Node:Runtime={Runtime}",
                $"--Node:Threads={Text(Threads)}",
                $"--Node:Slots={Text(Slots)}",
                $"--Node:ContextTokens={Text(Context)}",
                $"--Node:KvDirectory={Path.Combine(Data, "kv", $"node-{i + 1}")}",
            ]));
        }

        for (var i = 0; i < Gateways; i++)
        {
            processes.Add(new PlannedProcess($"gateway-{i + 1}", "Gateway",
            [
                .. Cluster($"gateway-{i + 1}", store, ports[1 + Nodes + i], key),
                $"--Gateway:HttpPort={Text(HttpPort + 2 * i)}",
                $"--Gateway:GrpcPort={Text(GrpcPort + 2 * i)}",
            ]));
        }

        return processes;
    }

    /// <summary>Ports that nobody listens on; all are held until all are found, so none comes twice.</summary>
    private static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        try
        {
            listeners.ForEach(listener => listener.Start());
            return [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        }
        finally
        {
            listeners.ForEach(listener => listener.Dispose());
        }
    }

    private static IEnumerable<string> Cluster(string name, string store, int port, string key) =>
        [$"--Cluster:Name={name}", $"--Cluster:Store={store}", $"--Cluster:SiloPort={Text(port)}", $"--Cluster:KeyFile={key}"];

    /// <summary>The cluster's secret, made at its first start.</summary>
    private static string MakeKey()
    {
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
