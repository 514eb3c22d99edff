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
        [.. Enumerable.Range(0, cluster.State.Plan.Gateways).Select(i => new Gateway($"http://127.0.0.1:{cluster.State.Plan.GrpcPort + 2 * i}"))];

    /// <param name="length">How long users begin new turns.</param>
    /// <param name="clients">How many users.</param>
    /// <param name="seed">What they say is drawn from it.</param>
    /// <param name="answerTokens">The length of answers.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task<ChaosReport> Run(TimeSpan length, int clients, int seed, int answerTokens, CancellationToken cancellation)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var abort = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        end.CancelAfter(length);
        abort.CancelAfter(length + Grace);
        var started = Stopwatch.GetTimestamp();
        var talking = Enumerable.Range(0, clients)
            .Select(i => Task.Run(() => new ChaosClient(_gateways, i, seed, answerTokens).Talk(end.Token, abort.Token), abort.Token))
            .ToList();
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
        var stored = new Dictionary<string, IReadOnlyList<StoredTurn>>();
        foreach (var conversation in seen.Select(turn => turn.Conversation).Distinct())
        {
            stored[conversation] = await Read(conversation, abort.Token);
        }

        return new ChaosReport(seen, HistoryChecker.Check(seen, stored), inflicted, started, took);
    }

    private async Task Inflict(PlannedFault fault, long started, CancellationToken abort)
    {
        Say(started, $"{fault.Kind} {fault.Process} for {fault.For.TotalSeconds:0.0} s");
        var process = cluster.State.Processes.First(process => process.Name == fault.Process);
        switch (fault.Kind)
        {
            case Fault.Freeze:
                Machine.Send(process, Machine.Stopped);
                await Task.Delay(fault.For, abort);
                Machine.Send(process, Machine.Continued);
                break;
            case Fault.Kill:
                Machine.Send(process, Machine.Killed);
                await Task.Delay(fault.For, abort);
                break;
            default:
                await Machine.Stop([process], DrainPatience);
                await Task.Delay(fault.For, abort);
                break;
        }

        cluster.StartMissing();
        await cluster.WaitUntilWell(_ => { }, abort);
    }

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

/// <summary>How a run went.</summary>
/// <param name="Turns">What the users saw.</param>
/// <param name="Violations">What the checker found.</param>
/// <param name="Faults">How many faults there were.</param>
/// <param name="Started">When it began, as a timestamp.</param>
/// <param name="Took">How long it took.</param>
internal sealed record ChaosReport(
    IReadOnlyList<TurnRecord> Turns, IReadOnlyList<string> Violations, int Faults, long Started, TimeSpan Took)
{
    private const int Longest = 5;

    public IEnumerable<string> Lines()
    {
        var gaps = Turns.Select(turn => turn.LongestGap.TotalSeconds).Order().ToList();
        var first = Turns.Select(turn => turn.FirstPiece.TotalSeconds).Order().ToList();
        var later = Turns.GroupBy(turn => turn.Conversation).SelectMany(turns => turns.Skip(1)).Where(turn => turn.IsAcknowledged).ToList();
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"{Turns.Count(turn => turn.IsAcknowledged)} of {Turns.Count} turns answered, {Turns.Sum(turn => turn.Tokens)} tokens, in {Took.TotalSeconds:0} s with {Faults} faults");
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"longest gap in an answer: p50 {At(gaps, 0.5):0.00} s, p95 {At(gaps, 0.95):0.00} s, max {At(gaps, 1):0.00} s; first token p50 {At(first, 0.5):0.00} s, p99 {At(first, 0.99):0.00} s");
        var hit = Turns.Where(turn => turn.Nodes > 1).Select(turn => turn.LongestGap.TotalSeconds).Order().ToList();
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"{hit.Count} answers went on elsewhere; their longest gap: p50 {At(hit, 0.5):0.00} s, p95 {At(hit, 0.95):0.00} s, max {At(hit, 1):0.00} s");
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"later turns whose history was cached: {later.Count(turn => turn.Warmth.Cached > turn.Warmth.Prompt / 2)} of {later.Count}; turns over more than one connection: {Turns.Count(turn => turn.Connections > 1)}, begun anew: {Turns.Count(turn => turn.Restarts > 0)}");
        foreach (var turn in Turns.OrderByDescending(turn => turn.LongestGap).Take(Longest))
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"gap of {turn.LongestGap.TotalSeconds:0.00} s until {Stopwatch.GetElapsedTime(Started, turn.LongestGapEnd).TotalSeconds:0.0} s in {turn.TurnId} of {turn.Conversation}");
        }

        yield return Violations.Count == 0 ? "the checker found nothing wrong" : $"the checker found {Violations.Count} violations:";
        foreach (var violation in Violations)
        {
            yield return violation;
        }
    }

    private static double At(List<double> sorted, double share) => sorted.Count == 0 ? 0 : sorted[(int)(share * (sorted.Count - 1))];
}
