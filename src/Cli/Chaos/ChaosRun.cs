using System.Diagnostics;
using System.Globalization;
using Grpc.Core;
using Herd.Cli.Processes;
using Herd.V1;

namespace Herd.Cli.Chaos;

/// <summary>Users talk to the cluster of this machine while its processes are killed, frozen and drained.</summary>
internal sealed class ChaosRun(LocalCluster cluster, IReadOnlyList<PlannedFault> plan, TextWriter log)
{
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan DrainPatience = TimeSpan.FromMinutes(2);

    private readonly IReadOnlyList<Gateway> _gateways =
        [.. cluster.State.Gateways.Select(address => new Gateway(address))];

    private (long At, int Nodes)? _grown;

    /// <param name="length">How long users begin new turns.</param>
    /// <param name="talk">How users talk.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task<ChaosReport> Run(TimeSpan length, ChaosTalk talk, CancellationToken cancellation)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var abort = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        end.CancelAfter(length);
        abort.CancelAfter(length + Grace);
        var started = Stopwatch.GetTimestamp();
        var talking = Enumerable.Range(0, talk.Clients)
            .Select(i => Task.Run(() => new ChaosClient(_gateways, i, talk).Talk(end.Token, abort.Token), abort.Token))
            .ToList();
        var watch = new LoadWatch(_gateways);
        var watching = watch.Run(end.Token);
        var late = TimeSpan.Zero;
        var inflicted = 0;
        foreach (var fault in plan.TakeWhile(_ => !end.IsCancellationRequested))
        {
            await Task.Delay(fault.At + late - Stopwatch.GetElapsedTime(started), abort.Token);
            await Inflict(fault, started, abort.Token);
            inflicted++;

            // What took longer than planned puts off what comes after.
            var over = Stopwatch.GetElapsedTime(started) - (fault.At + fault.For + late);
            late += over > TimeSpan.Zero ? over : TimeSpan.Zero;
        }

        var seen = (await Task.WhenAll(talking)).SelectMany(turns => turns).ToList();
        var took = Stopwatch.GetElapsedTime(started);
        await watching;
        await ForgetWhatIsInMemory(abort.Token);
        var stored = new Dictionary<string, IReadOnlyList<StoredTurn>>();
        foreach (var conversation in seen.Select(turn => turn.Conversation).Distinct())
        {
            stored[conversation] = await Read(conversation, abort.Token);
        }

        return new ChaosReport(seen, HistoryChecker.Check(seen, stored, gatewaysStayed: !plan.Any(fault => fault.Process.StartsWith("gateway", StringComparison.Ordinal))), inflicted, started, took)
        {
            EvenAfter = _grown is { } grown ? watch.EvenAfter(grown.At, grown.Nodes) : null,
        };
    }

    private async Task Inflict(PlannedFault fault, long started, CancellationToken abort)
    {
        Say(started, fault.ToString());
        switch (fault.Kind)
        {
            case Fault.Add:
                cluster.AddNode();
                await cluster.WaitUntilWell(_ => { }, abort);
                _grown = (Stopwatch.GetTimestamp(), cluster.State.Plan.Nodes);
                return;
            case Fault.Remove:
                await cluster.RemoveLastNode(DrainPatience);
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
                await Machine.Stop([Process(fault)], DrainPatience);
                await Task.Delay(fault.For, abort);
                break;
        }

        cluster.StartMissing();
        await cluster.WaitUntilWell(_ => { }, abort);
    }

    /// <summary>What is read after it comes from the store.</summary>
    private async Task ForgetWhatIsInMemory(CancellationToken abort)
    {
        await Machine.Stop([.. cluster.State.Processes.Where(process => process.Program == "Gateway")], patience: TimeSpan.Zero);
        cluster.StartMissing();
        await cluster.WaitUntilWell(_ => { }, abort);
    }

    private RunningProcess Process(PlannedFault fault) => cluster.State.Processes.First(process => process.Name == fault.Process);

    private async Task<IReadOnlyList<StoredTurn>> Read(string conversation, CancellationToken abort)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                var reply = await _gateways[attempt % _gateways.Count].Conversations.GetConversationAsync(
                    new GetConversationRequest { ConversationId = conversation }, cancellationToken: abort);
                return
                [
                    .. reply.Conversation.Turns.Select(turn => new StoredTurn(
                        turn.TurnId, turn.Input.Single().Text, turn.Answer, turn.Usage?.CompletionTokens ?? 0, turn.State == TurnState.Completed)),
                ];
            }
            catch (RpcException) when (!abort.IsCancellationRequested)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(500), abort);
            }
        }
    }

    private void Say(long started, string what) => log.WriteLine(
        string.Create(CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(started).TotalSeconds,7:0.0} s  {what}"));
}
