using System.Globalization;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Tenants;

namespace Herd.Gateway.Conversations;

/// <summary>
/// Gives stateless requests a conversation, and with it a home that they stick to. A conversation answers one turn at a
/// time, so requests of the same identity that come at once take lanes of their own.
/// </summary>
internal sealed class StatelessChat(ConversationClient conversations)
{
    private const int MaxShards = 256;

    /// <summary>Begins a turn.</summary>
    /// <returns>The session's id, and the turn's events from its first on.</returns>
    public async Task<(string Session, IAsyncEnumerator<TurnEvent> Events)> Begin(
        Tenant tenant, string identity, TurnRequest turn, CancellationToken cancellation)
    {
        for (var lane = 0; lane < MaxShards; lane++)
        {
            var session = lane == 0 ? identity : string.Create(CultureInfo.InvariantCulture, $"{identity}_{lane}");
            try
            {
                return await Resume(tenant, session, turn, cancellation);
            }
            catch (HerdException e) when (e.Error == HerdError.TurnInProgress)
            {
                // The next lane may be free.
            }
        }

        throw new HerdException(HerdError.Overloaded, $"{MaxShards} requests of this session are being answered already.");
    }

    /// <summary>Goes on with a turn that was begun in a session before.</summary>
    /// <returns>As <see cref="Begin"/>.</returns>
    public async Task<(string Session, IAsyncEnumerator<TurnEvent> Events)> Resume(
        Tenant tenant, string session, TurnRequest turn, CancellationToken cancellation)
    {
        var events = conversations.Converse(tenant, session, turn, cancellation).GetAsyncEnumerator(cancellation);
        try
        {
            await events.MoveNextAsync();
            return (session, events);
        }
        catch
        {
            await events.DisposeAsync();
            throw;
        }
    }
}
