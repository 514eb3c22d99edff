using System.Globalization;
using System.Runtime.CompilerServices;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Tenants;

namespace Herd.Gateway.Conversations;

/// <summary>
/// Gives each stateless request a conversation, and with it a home node. A conversation answers one turn at a time, so
/// concurrent requests of one session go to different shards of it: the conversations ID, ID_1, ID_2 and so on.
/// A request tries the shards that this gateway does not use. The grain refuses a shard that another gateway uses.
/// </summary>
internal sealed class StatelessChat(ConversationClient conversations)
{
    private const int MaxShards = 256;

    private readonly BusyShards _shards = new(MaxShards);

    /// <summary>Begins a turn in the first free shard.</summary>
    /// <returns>The shard's id, and the turn's events. The first event was read.</returns>
    /// <exception cref="HerdException">The turn failed, or all shards are busy.</exception>
    public async Task<(string Session, IAsyncEnumerator<TurnEvent> Events)> Begin(
        Tenant tenant, string identity, TurnRequest turn, CancellationToken cancellation)
    {
        var min = 0;
        while (_shards.Take(tenant.Name, identity, min) is { } shard)
        {
            try
            {
                var events = Converse(tenant, identity, shard, turn, cancellation);
                return (SessionOf(identity, shard), await events.ReadFirst(cancellation));
            }
            catch (HerdException e) when (e.Error == HerdError.TurnInProgress)
            {
                min = shard + 1;
            }
        }

        throw new HerdException(
            HerdError.Overloaded, $"All {MaxShards} shards of this session are busy. Send the request again later.");
    }

    /// <summary>Resumes a turn of a shard.</summary>
    /// <returns>As <see cref="Begin"/>.</returns>
    /// <exception cref="HerdException">The turn failed.</exception>
    public async Task<(string Session, IAsyncEnumerator<TurnEvent> Events)> Resume(
        Tenant tenant, string session, TurnRequest turn, CancellationToken cancellation) =>
        (session, await conversations.Converse(tenant, session, turn, cancellation).ReadFirst(cancellation));

    private async IAsyncEnumerable<TurnEvent> Converse(
        Tenant tenant,
        string identity,
        int shard,
        TurnRequest turn,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        TurnEvent? completed = null;
        try
        {
            await foreach (var update in conversations.Converse(tenant, SessionOf(identity, shard), turn, cancellation))
            {
                if (update.Completed is not null)
                {
                    completed = update;
                    break;
                }

                yield return update;
            }
        }
        finally
        {
            _shards.Free(tenant.Name, identity, shard);
        }

        // The shard is free before the client has its answer, so the client's next request goes to the same shard.
        if (completed is not null)
        {
            yield return completed;
        }
    }

    private static string SessionOf(string identity, int shard) =>
        shard == 0 ? identity : string.Create(CultureInfo.InvariantCulture, $"{identity}_{shard}");
}
