using System.Globalization;
using Grpc.Core;
using Herd.V1;

namespace Herd.Cli.Processes;

/// <summary>The cluster of this machine: starts what is missing of it, waits until it is well, stops it.</summary>
internal sealed class LocalCluster(RunState state)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);

    public RunState State { get; private set; } = state;

    /// <summary>The processes this command has started itself.</summary>
    public List<RunningProcess> Started { get; } = [];

    /// <summary>What the nodes compute with, once they are ready.</summary>
    public string Runtime { get; private set; } = "";

    /// <summary>
    /// Starts every process that does not run, and notes it at once, so that none is ever forgotten. The others begin once the store listens.
    /// </summary>
    public async Task StartMissing(CancellationToken cancellation)
    {
        foreach (var process in State.Processes.Where(process => !Machine.IsAlive(process)))
        {
            var started = Machine.Start(new PlannedProcess(process.Name, process.Program, process.Arguments));
            Started.Add(started);
            State = State with { Processes = [.. State.Processes.Select(p => p.Name == started.Name ? started : p)] };
            State.Write();
            if (process.Program == "Store")
            {
                await Listens(started, int.Parse(process.Arguments[1], CultureInfo.InvariantCulture), cancellation);
            }
        }
    }

    /// <summary>Starts one more node.</summary>
    public Task AddNode(CancellationToken cancellation)
    {
        State = State.Grow(State.Plan.Nodes + 1, State.Plan.Threads);
        return StartMissing(cancellation);
    }

    /// <summary>Waits until the store takes connections.</summary>
    /// <exception cref="CliException">It has ended.</exception>
    private static async Task Listens(RunningProcess store, int port, CancellationToken cancellation)
    {
        while (!await Machine.Listens(port, cancellation))
        {
            ThrowIfDead([store]);
            await Task.Delay(Poll, cancellation);
        }
    }

    /// <summary>Drains the last node and forgets it.</summary>
    public async Task RemoveLastNode(TimeSpan patience)
    {
        var last = State.Processes.Last(process => process.Program == "Silo");
        await Machine.Stop([last], patience);
        State = State.WithoutLastNode();
        State.Write();
    }

    /// <summary>Waits until every gateway sees every node ready, and its store.</summary>
    /// <exception cref="CliException">A process ended, or it takes too long.</exception>
    public async Task WaitUntilWell(Action<string> report, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(Patience);
        using var http = new HttpClient();
        var gateways = State.Gateways
            .Select((address, i) => (
                Gateway: new Gateway(address),
                Health: new Uri($"http://127.0.0.1:{State.Plan.HttpPort + 2 * i}/health/ready")))
            .ToList();
        try
        {
            while (true)
            {
                ThrowIfDead();
                var problems = await Task.WhenAll(gateways.Select(async gateway =>
                    await Problem(gateway.Gateway, cancellation) ?? await Problem(http, gateway.Health, cancellation)));
                if (problems.All(problem => problem is null))
                {
                    return;
                }

                report(problems.First(problem => problem is not null)!);
                if (timeout.IsCancellationRequested)
                {
                    throw new CliException($"the cluster is not well after {Patience.TotalMinutes} minutes: {problems[0]}. Logs: {HerdHome.Logs}");
                }

                await Task.Delay(Poll, cancellation);
            }
        }
        finally
        {
            gateways.ForEach(gateway => gateway.Gateway.Dispose());
        }
    }

    /// <exception cref="CliException">A process has ended.</exception>
    public void ThrowIfDead() => ThrowIfDead(State.Processes);

    private static void ThrowIfDead(IEnumerable<RunningProcess> processes)
    {
        if (processes.FirstOrDefault(process => !Machine.IsAlive(process)) is { } dead)
        {
            throw new CliException($"{dead.Name} has ended: {LogTail.Reason(dead.Log)} (log: {dead.Log})");
        }
    }

    public static Task Stop(IReadOnlyList<RunningProcess> processes) => Machine.Stop(processes, StopPatience);

    private async Task<string?> Problem(Gateway gateway, CancellationToken cancellation)
    {
        try
        {
            var nodes = (await gateway.Cluster.ListNodesAsync(new ListNodesRequest(), cancellationToken: cancellation)).Nodes;
            var ready = nodes.Count(node =>
                node.State == NodeState.Ready && State.Processes.Any(p => p.Name == node.Name && p.Pid == node.ProcessId));
            Runtime = string.Join(", ", nodes.Select(node => node.Runtime).Distinct(StringComparer.Ordinal));
            return ready == State.Plan.Nodes
                ? null
                : $"{ready} of {State.Plan.Nodes} nodes are ready"
                    + string.Concat(nodes.Where(node => node.State == NodeState.Loading).Select(node => $", {node.Name} has loaded {node.Loaded:P0}"));
        }
        catch (RpcException) when (!cancellation.IsCancellationRequested)
        {
            return "the gateway is starting";
        }
    }

    /// <summary>What a gateway that has its nodes still lacks, which is its store.</summary>
    private static async Task<string?> Problem(HttpClient http, Uri health, CancellationToken cancellation)
    {
        try
        {
            using var response = await http.GetAsync(health, cancellation);
            return response.IsSuccessStatusCode ? null : "the store is starting";
        }
        catch (HttpRequestException)
        {
            return "the gateway is starting";
        }
    }
}
