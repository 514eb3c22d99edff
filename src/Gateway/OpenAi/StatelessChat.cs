using System.Globalization;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Conversations;

namespace Herd.Gateway.OpenAi;

/// <summary>
/// Gives stateless requests a conversation, and with it a home that they stick to. A conversation answers one turn at a
/// time, so requests of the same identity that come at once take lanes of their own.
/// </summary>
internal sealed class StatelessChat(ConversationClient conversations)
{
    private const int Lanes = 256;

    /// <summary>Begins a turn.</summary>
    /// <returns>The session's id, and the turn's events from its first on.</returns>
    public async Task<(string Session, IAsyncEnumerator<TurnEvent> Events)> Begin(
        string tenant, string identity, TurnRequest turn, CancellationToken cancellation)
    {
        for (var lane = 0; lane < Lanes; lane++)
        {
            var session = lane == 0 ? identity : string.Create(CultureInfo.InvariantCulture, $"{identity}_{lane}");
            var events = conversations.Converse(tenant, session, turn, cancellation).GetAsyncEnumerator(cancellation);
            try
            {
                await events.MoveNextAsync();
                return (session, events);
            }
            catch (HerdException e) when (e.Error == HerdError.TurnInProgress)
            {
                await events.DisposeAsync();
            }
            catch
            {
                await events.DisposeAsync();
                throw;
            }
        }

        throw new HerdException(HerdError.Overloaded, $"{Lanes} requests of this session are being answered already.");
    }
}
