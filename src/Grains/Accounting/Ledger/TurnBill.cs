using Herd.Contracts.Conversations;
using Herd.Grains.Conversations.Storage;

namespace Herd.Grains.Accounting.Ledger;

/// <summary>Records what one turn computes.</summary>
/// <param name="recorder">Takes the records.</param>
/// <param name="transcript">The conversation.</param>
/// <param name="turn">The turn as it was stored when this call began.</param>
/// <param name="key">The name of the caller's API key.</param>
internal sealed class TurnBill(UsageRecorder recorder, Transcript transcript, Turn turn, string? key)
{
    /// <summary>The age up to which a turn that is delivered again is recorded again, if it is missing.</summary>
    private static readonly TimeSpan MaxAge = TimeSpan.FromHours(1);

    /// <summary>Records what was computed so far; null records nothing.</summary>
    public void Record(string model, Usage? soFar)
    {
        if (soFar is not null)
        {
            recorder.Record(New(model, soFar, UsageState.Running, turn.Usage));
        }
    }

    /// <summary>Writes the record of a turn that ended.</summary>
    public Task Close(Turn ended) => ended is { Usage: { } usage, Model: { } model }
        ? recorder.Write(New(model, usage, StateOf(ended), turn.Usage))
        : Task.CompletedTask;

    /// <summary>
    /// Records a completed turn that is delivered again: its gateway may have died after it stored the turn, and before
    /// it recorded this. A turn that was copied by a fork was computed elsewhere.
    /// </summary>
    public void RecordAgain(DateTimeOffset now)
    {
        if (turn is { Usage: { } usage, Model: { } model }
            && now - turn.Created < MaxAge && turn.Created >= transcript.Conversation!.Created)
        {
            recorder.Record(New(model, usage, UsageState.Completed, before: null));
        }
    }

    private UsageRecord New(string model, Usage usage, UsageState state, Usage? before) => new()
    {
        Tenant = transcript.Tenant,
        Turn = $"{transcript.Id}/{turn.Id}",
        Key = key ?? "",
        Model = model,
        Day = UsageDay.From(turn.Created),
        State = state,
        Usage = usage,
        Before = before,
    };

    private static UsageState StateOf(Turn turn) => turn.State switch
    {
        TurnState.Completed => UsageState.Completed,
        TurnState.Failed => UsageState.Failed,
        _ => UsageState.Aborted,
    };
}
