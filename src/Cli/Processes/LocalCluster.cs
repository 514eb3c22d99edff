using System.Globalization;
using Grpc.Core;
using Herd.V1;

namespace Herd.Cli.Processes;

/// <summary>The cluster of this machine: starts missing processes, waits until they are ready, stops them.</summary>
internal sealed class LocalCluster(RunState state)
{
    private static readonly TimeSpan MaxStartTime = TimeSpan.FromMinutes(3);

    /// <summary>The grace period of a process that stops.</summary>
    public static readonly TimeSpan MaxStopTime = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);

    public RunState State { get; private set; } = state;

    /// <summary>The processes that this command started.</summary>
    public List<RunningProcess> Started { get; } = [];

    /// <summary>The runtime of the nodes; empty until they are ready.</summary>
    public string Runtime { get; private set; } = "";

    /// <summary>
    /// Starts every process that does not run, and writes each one to run.json at once, so that none is lost. The
    /// others start when the store listens.
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
    /// <exception cref="CliException">The store has ended.</exception>
    private static async Task Listens(RunningProcess store, int port, CancellationToken cancellation)
    {
        while (!await Machine.Listens(port, cancellation))
        {
            ThrowIfDead([store]);
            await Task.Delay(Poll, cancellation);
        }
    }

    /// <summary>Drains the last node and removes it from run.json.</summary>
    public async Task RemoveLastNode(TimeSpan timeout)
    {
        var last = State.Processes.Last(process => process.Program == "Silo");
        await Machine.Stop([last], timeout);
        State = State.WithoutLastNode();
        State.Write();
    }

    /// <summary>Waits until every gateway is ready and sees every node ready.</summary>
    /// <exception cref="CliException">A process ended, or it takes too long.</exception>
    public async Task WaitUntilReady(Action<string> report, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(MaxStartTime);
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
                    throw new CliException(
                        $"the cluster is not ready after {MaxStartTime.TotalMinutes} minutes: {problems[0]}. "
                        + $"Logs: {HerdHome.Logs}");
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

    /// <summary>Stops processes in the order gateways, nodes, store: none calls one that has ended.</summary>
    /// <returns>Those that did not end within the grace period, and were killed.</returns>
    public static async Task<IReadOnlyList<RunningProcess>> Stop(IReadOnlyList<RunningProcess> processes)
    {
        var killed = new List<RunningProcess>();

        // One at a time, about 0.2 s each. Of two silos that stop together one takes 3 to 4 s in most runs, before
        // Orleans marks it as leaving.
        foreach (var process in processes.GroupBy(process => process.Program).Reverse().SelectMany(kind => kind))
        {
            killed.AddRange(await Machine.Stop([process], MaxStopTime));
        }

        return killed;
    }

    private async Task<string?> Problem(Gateway gateway, CancellationToken cancellation)
    {
        try
        {
            var reply = await gateway.Cluster.ListNodesAsync(new ListNodesRequest(), cancellationToken: cancellation);
            var nodes = reply.Nodes;
            var ready = nodes.Count(node =>
                node.State == NodeState.Ready
                && State.Processes.Any(process => process.Name == node.Name && process.Pid == node.ProcessId));
            Runtime = string.Join(", ", nodes.Select(node => node.Runtime).Distinct(StringComparer.Ordinal));
            return ready == State.Plan.Nodes
                ? null
                : $"{ready} of {State.Plan.Nodes} nodes are ready"
                    + string.Concat(nodes
                        .Where(node => node.State == NodeState.Loading)
                        .Select(node => $", {node.Name} has loaded {node.Loaded:P0}"));
        }
        catch (RpcException e) when (e.StatusCode is StatusCode.Unauthenticated or StatusCode.PermissionDenied)
        {
            throw new CliException(
                $"a gateway refuses the key in {HerdHome.OperatorKeyFile}. Was the file replaced while it runs? "
                + "'herd down', then 'herd up'.");
        }
        catch (RpcException) when (!cancellation.IsCancellationRequested)
        {
            return "the gateway is starting";
        }
    }

    /// <summary>The problem of a gateway that has its nodes: its store. Null if it is ready.</summary>
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
