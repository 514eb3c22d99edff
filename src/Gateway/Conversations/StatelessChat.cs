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
            var session = shard.Number == 0
                ? identity
                : string.Create(CultureInfo.InvariantCulture, $"{identity}_{shard.Number}");
            try
            {
                return (session, await Converse(tenant, session, turn, shard, cancellation).ReadFirst(cancellation));
            }
            catch (HerdException e) when (e.Error == HerdError.TurnInProgress)
            {
                min = shard.Number + 1;
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
        string session,
        TurnRequest turn,
        BusyShards.Shard shard,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var busy = shard;
        await foreach (var update in conversations.Converse(tenant, session, turn, cancellation))
        {
            if (update.Completed is not null)
            {
                // The client may send its next request before this response is disposed. It goes to the same shard.
                shard.Dispose();
            }

            yield return update;
        }
    }
}
