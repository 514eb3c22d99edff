using System.Diagnostics;
using System.Globalization;
using Herd.Cli.Processes;

namespace Herd.Cli.Chaos;

/// <summary>
/// Runs users against the cluster of this machine while its processes are killed, frozen and drained.
/// </summary>
internal sealed class ChaosRun(LocalCluster cluster, IReadOnlyList<PlannedFault> plan, TextWriter log)
{
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan MaxDrainTime = TimeSpan.FromMinutes(2);

    private readonly IReadOnlyList<Gateway> _gateways =
        [.. cluster.State.Gateways.Select(address => new Gateway(address))];

    private (long At, int Nodes)? _grown;

    /// <param name="length">The time in which users begin turns.</param>
    /// <param name="talk">The load.</param>
    /// <param name="cancellation">Ends the run.</param>
    public async Task<ChaosReport> Run(TimeSpan length, ChaosTalk talk, CancellationToken cancellation)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var abort = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        end.CancelAfter(length);
        abort.CancelAfter(length + Grace);
        var started = Stopwatch.GetTimestamp();
        var users = new ChaosUsers(i => _gateways[i % _gateways.Count], talk);
        var before = await users.ReadTotal(abort.Token);
        var talking = users.Talk(end.Token, abort.Token);
        var watch = new LoadWatch(_gateways);
        var watching = watch.Run(end.Token);
        var late = TimeSpan.Zero;
        var faults = new List<long>();
        foreach (var fault in plan.TakeWhile(_ => !end.IsCancellationRequested))
        {
            await Task.Delay(fault.At + late - Stopwatch.GetElapsedTime(started), abort.Token);
            faults.Add(Stopwatch.GetTimestamp());
            await Inject(fault, started, abort.Token);

            // A fault that took longer than planned delays the later ones.
            var over = Stopwatch.GetElapsedTime(started) - (fault.At + fault.For + late);
            late += over > TimeSpan.Zero ? over : TimeSpan.Zero;
        }

        var seen = await talking;
        var took = Stopwatch.GetElapsedTime(started);
        await watching;
        var placements = new Dictionary<TurnRecord, string>();
        foreach (var turn in ChaosReport.Later(seen).Take(ChaosReport.Longest))
        {
            placements[turn] = await users.Why(turn, abort.Token);
        }

        await ForgetWhatIsInMemory(abort.Token);
        var gatewaysStayed = !plan.Any(fault => fault.Process.StartsWith("gateway", StringComparison.Ordinal));
        var stored = await users.ReadStored(seen, abort.Token);
        var billed = await users.ReadBilled(seen, abort.Token);
        var rise = await users.ReadTotal(abort.Token) - before;
        IReadOnlyList<string> violations =
        [
            .. HistoryChecker.Check(seen, stored, gatewaysStayed),
            .. LedgerChecker.Check(seen, stored, billed, gatewaysStayed),
            .. LedgerChecker.CheckSums(rise, billed),
        ];
        return new ChaosReport(seen, violations, faults, started, took)
        {
            Billed = billed,
            Placements = placements,
            EvenAfter = _grown is { } grown ? watch.EvenAfter(grown.At, grown.Nodes) : null,
        };
    }

    private async Task Inject(PlannedFault fault, long started, CancellationToken abort)
    {
        Say(started, fault.ToString());
        switch (fault.Kind)
        {
            case Fault.Add:
                await cluster.AddNode(abort);
                await cluster.WaitUntilReady(_ => { }, abort);
                _grown = (Stopwatch.GetTimestamp(), cluster.State.Plan.Nodes);
                return;
            case Fault.Remove:
                await cluster.RemoveLastNode(MaxDrainTime);
                return;
            case Fault.Freeze:
                Machine.Send(Process(fault), Machine.Stopped);
                await Task.Delay(fault.For, abort);
                Machine.Send(Process(fault), Machine.Continued);
                break;
            case Fault.Kill:
                Machine.Send(Process(fault), Machine.Killed);
                await Task.Delay(fault.For, abort);
                break;
            default:
                await Machine.Stop([Process(fault)], MaxDrainTime);
                await Task.Delay(fault.For, abort);
                break;
        }

        await cluster.StartMissing(abort);
        await cluster.WaitUntilReady(_ => { }, abort);
    }

    /// <summary>Restarts all gateways, so that later reads come from the store.</summary>
    private async Task ForgetWhatIsInMemory(CancellationToken abort)
    {
        var gateways = cluster.State.Processes.Where(process => process.Program == "Gateway");
        await Machine.Stop([.. gateways], timeout: TimeSpan.Zero);
        await cluster.StartMissing(abort);
        await cluster.WaitUntilReady(_ => { }, abort);
    }

    private RunningProcess Process(PlannedFault fault) =>
        cluster.State.Processes.First(process => process.Name == fault.Process);

    private void Say(long started, string what) => log.WriteLine(
        string.Create(
            CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(started).TotalSeconds,7:0.0} s  {what}"));
}
