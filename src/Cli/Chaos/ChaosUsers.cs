using System.Diagnostics;
using System.Globalization;
using Grpc.Core;
using Herd.Cli.Commands;
using Herd.V1;

namespace Herd.Cli.Chaos;

/// <summary>The users of a run, and the conversations that are stored at its end.</summary>
/// <param name="gateway">Finds a gateway for a number; another number may find another gateway.</param>
/// <param name="talk">The load.</param>
internal sealed class ChaosUsers(Func<int, Gateway> gateway, ChaosTalk talk)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary>A turn is billed on the day of its creation. Days that are older are not those of a run.</summary>
    private static readonly string TwoDaysAgo =
        DateTime.UtcNow.AddDays(-2).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <returns>The turns as the users saw them.</returns>
    /// <param name="end">Users begin no more turns.</param>
    /// <param name="abort">Users end at once.</param>
    public async Task<IReadOnlyList<TurnRecord>> Talk(CancellationToken end, CancellationToken abort)
    {
        var talking = Enumerable.Range(0, talk.Clients)
            .Select(i => Task.Run(() => new ChaosClient(gateway, i, talk).Talk(end, abort), abort))
            .ToList();
        return [.. (await Task.WhenAll(talking)).SelectMany(turns => turns)];
    }

    /// <summary>The conversations of turns, as they are stored.</summary>
    public async Task<IReadOnlyDictionary<string, IReadOnlyList<StoredTurn>>> ReadStored(
        IReadOnlyList<TurnRecord> seen, CancellationToken abort)
    {
        var stored = new Dictionary<string, IReadOnlyList<StoredTurn>>();
        foreach (var conversation in seen.Select(turn => turn.Conversation).Distinct())
        {
            stored[conversation] = await Read(conversation, abort);
        }

        return stored;
    }

    /// <summary>The placements of a turn while its user waited for the first delta.</summary>
    public async Task<string> Why(TurnRecord turn, CancellationToken abort)
    {
        var asked = DateTime.UtcNow - Stopwatch.GetElapsedTime(turn.Asked);
        var reply = await Ask(
            conversations => conversations.ExplainPlacementAsync(
                new ExplainPlacementRequest { ConversationId = turn.Conversation }, cancellationToken: abort),
            abort);
        return string.Join(" | ", reply.Placements
            .Where(placement =>
                placement.Time.ToDateTime() >= asked && placement.Time.ToDateTime() <= asked + turn.FirstPiece)
            .Select(placement =>
                $"{placement.Reason} to {placement.Node} from {placement.Home}: "
                + $"{string.Join("; ", placement.Considered.Select(WhyCommand.Describe))} "
                + WhyCommand.Moved(placement)));
    }

    private async Task<IReadOnlyList<StoredTurn>> Read(string conversation, CancellationToken abort)
    {
        var reply = await Ask(
            conversations => conversations.GetConversationAsync(
                new GetConversationRequest { ConversationId = conversation }, cancellationToken: abort),
            abort);
        return
        [
            .. reply.Conversation.Turns.Select(turn => new StoredTurn(
                turn.TurnId,
                turn.Input.Single().Text,
                turn.Answer,
                turn.Usage?.CompletionTokens ?? 0,
                turn.State == TurnState.Completed)),
        ];
    }

    /// <summary>The turns that the ledger has of the users' conversations.</summary>
    public async Task<IReadOnlyList<BilledTurn>> ReadBilled(
        IReadOnlyList<TurnRecord> seen, CancellationToken abort)
    {
        var billed = new List<BilledTurn>();
        foreach (var conversation in seen.Select(turn => turn.Conversation).Distinct())
        {
            billed.AddRange(await ReadBilled(conversation, abort));
        }

        return billed;
    }

    private async Task<IEnumerable<BilledTurn>> ReadBilled(string conversation, CancellationToken abort)
    {
        var request = new ListUsageRequest
        {
            From = TwoDaysAgo,
            Turns = TurnFilter.All,
            ConversationId = conversation,
        };
        var reply = await Ask(
            conversations => conversations.ListUsageAsync(request, cancellationToken: abort), abort);
        return reply.Turns.Select(turn => new BilledTurn(
            turn.ConversationId,
            turn.TurnId,
            turn.Usage.PromptTokens,
            turn.Usage.CompletionTokens,
            turn.State));
    }

    /// <summary>The sums of the ledger for the users' tenant.</summary>
    public async Task<UsageTotal> ReadTotal(CancellationToken abort)
    {
        var request = new ListUsageRequest { From = TwoDaysAgo };
        var reply = await Ask(
            conversations => conversations.ListUsageAsync(request, cancellationToken: abort), abort);
        return new UsageTotal(
            reply.Sums.Sum(sum => sum.Turns),
            reply.Sums.Sum(sum => sum.PromptTokens),
            reply.Sums.Sum(sum => sum.CompletionTokens));
    }

    /// <summary>Calls one gateway after the other until one responds.</summary>
    private async Task<T> Ask<T>(
        Func<ConversationService.ConversationServiceClient, AsyncUnaryCall<T>> question, CancellationToken abort)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await question(gateway(attempt).Conversations);
            }
            catch (RpcException) when (!abort.IsCancellationRequested)
            {
                await Task.Delay(Pause, abort);
            }
        }
    }
}
