using System.Security.Cryptography;
using Herd.Contracts.Conversations;
using Herd.Grains.Conversations.Storage;

namespace Herd.Grains.Conversations.Turns.Admission;

/// <summary>Accepts turns. A new turn is stored; a known one is found by its id.</summary>
internal sealed class TurnAcceptor(Transcript transcript, TimeProvider time)
{
    /// <param name="conversation">The conversation so far. It may not be stored yet.</param>
    /// <param name="request">The requested turn.</param>
    /// <returns>The turn as it is stored, and whether it is new.</returns>
    /// <exception cref="Herd.Contracts.Errors.HerdException">
    /// <see cref="TurnAcceptance"/> refuses the turn, or it cannot be stored.
    /// </exception>
    public async Task<(Turn Turn, bool IsNew)> Accept(Conversation conversation, TurnRequest request)
    {
        if (conversation.Turns.FirstOrDefault(turn => turn.Id == request.TurnId) is { } known)
        {
            return (await AcceptAgain(TurnAcceptance.Known(conversation, known, request)), false);
        }

        if (TurnAcceptance.Refusal(conversation, request) is { } refusal)
        {
            throw refusal;
        }

        var (kept, covered) = request.IsWholeHistory
            ? History.Agreement(conversation.Turns, request.Input)
            : (conversation.Turns.Count, 0);
        var turn = new Turn
        {
            Id = request.TurnId,
            State = TurnState.Pending,
            Input = [.. request.Input.Skip(covered)],
            Created = time.GetUtcNow(),
            Model = request.Model
                ?? conversation.Model
                ?? conversation.Turns.LastOrDefault(before => before.Model is not null)?.Model,
            Settings = request.Settings with { Seed = request.Settings.Seed ?? NewSeed() },
            Metadata = request.Metadata,
        };
        await transcript.Write(conversation with { Turns = [.. conversation.Turns.Take(kept), turn] }, kept);
        return (turn, true);
    }

    /// <summary>Makes a turn pending again if it was left unanswered.</summary>
    private async Task<Turn> AcceptAgain(Turn known)
    {
        if (known.State is TurnState.Pending or TurnState.Completed)
        {
            return known;
        }

        var turn = known with { State = TurnState.Pending, Finish = Finish.None };
        await transcript.WriteTurn(turn);
        return turn;
    }

    private static ulong NewSeed() => BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
}
