using System.Globalization;
using Grpc.Core;
using Herd.V1;

namespace Herd.Cluster.Tests;

/// <summary>The turns that the ledger names.</summary>
internal static class LedgerTurns
{
    /// <summary>The turns of a tenant since yesterday: a turn's day is that of its creation.</summary>
    public static async Task<IReadOnlyList<TurnUsage>> UsedTurns(
        this ConversationService.ConversationServiceClient client, Metadata? headers = null) =>
        (await client.ListUsageAsync(
            new ListUsageRequest { From = Yesterday, Turns = TurnFilter.All },
            headers,
            cancellationToken: TestContext.Current.CancellationToken)).Turns;

    /// <summary>Those that are not among earlier ones.</summary>
    public static IEnumerable<TurnUsage> Without(
        this IEnumerable<TurnUsage> turns, IEnumerable<TurnUsage> before) =>
        turns.ExceptBy(before.Select(Name), Name);

    public static string Yesterday => DateTime.UtcNow.AddDays(-1).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static string Name(TurnUsage turn) => turn.ConversationId + turn.TurnId;
}
