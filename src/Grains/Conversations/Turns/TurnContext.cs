using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Contracts.Placements;
using Herd.Grains.Accounting.Ledger;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Conversations.Turns.Attempts;
using Herd.Grains.Conversations.Turns.Events;

namespace Herd.Grains.Conversations.Turns;

/// <summary>One turn while it is answered: what every step of <see cref="TurnExecutor"/> reads and changes.</summary>
/// <param name="transcript">The conversation, its last turn this one.</param>
/// <param name="turn">The turn as it is stored.</param>
/// <param name="start">The start of the turn: the first one, or a repeat.</param>
/// <param name="events">The caller's events.</param>
/// <param name="bill">Records what the turn computes.</param>
/// <param name="cancellation">Cancelled when the caller leaves, or another call takes the turn over.</param>
internal sealed class TurnContext(
    Transcript transcript,
    Turn turn,
    TurnStart start,
    TurnEvents events,
    TurnBill bill,
    CancellationToken cancellation)
{
    /// <summary>Placements that a turn keeps: the latest ones.</summary>
    private const int MaxPlacements = 8;

    public Transcript Transcript => transcript;

    /// <summary>The turn, with its model, node and placements as they are known.</summary>
    public Turn Turn { get; private set; } = turn;

    /// <summary>True if the turn was never begun before.</summary>
    public bool IsNew => start.IsNew;

    /// <summary>The answer so far. It passes new text on to the caller.</summary>
    public AnswerBuilder Answer { get; } = new(turn, transcript.Conversation!.Epoch, start.Offset, events);

    /// <summary>What the turn computed so far.</summary>
    public TurnMeter Meter { get; } = new(turn.Usage, events);

    public TurnEvents Events => events;

    public CancellationToken Cancellation => cancellation;

    /// <summary>The nodes that failed this turn.</summary>
    public TurnFailures Failures { get; } = new();

    /// <summary>True while a suspect turn is on trial. It leaves its node for no other.</summary>
    public bool IsOnTrial { get; set; }

    /// <summary>The model's id. Set before the turn is routed.</summary>
    public string Model => Turn.Model!;

    /// <summary>The prompt and the tokens of the answer so far; null if nothing was computed.</summary>
    public Usage? UsageSoFar => Meter.SoFar(Answer.Tokens.Count);

    public void UseModel(string model) => Turn = Turn with { Model = model };

    /// <summary>Records where the turn runs now.</summary>
    public void RecordPlacement(PlacementDecision placement) => Turn = Turn with
    {
        Node = placement.Node,
        Placements = [.. (Turn.Placements ?? []).TakeLast(MaxPlacements - 1), placement],
    };

    /// <summary>Takes over what an earlier owner of the turn produced.</summary>
    public void CatchUp(GenerationEvent produced)
    {
        Meter.TakeOver(produced);
        Answer.CatchUp(produced);
    }

    /// <summary>Adds what a node produced.</summary>
    public void Append(GenerationEvent update)
    {
        Meter.Count(update);
        Answer.Append(update);
        bill.Record(Model, UsageSoFar);
    }

    /// <summary>Stores the turn, then what it computed.</summary>
    public async Task Store()
    {
        await transcript.WriteTurn(Turn);
        await bill.Close(Turn);
    }

    public void Complete(GenerationOutcome result) => Turn = Turn with
    {
        State = TurnState.Completed,
        Answer = Answer.SoFar() with { TokensFit = result.TokensFit },
        Finish = result.Finish,
        Usage = Meter.Complete(result.Usage),
        Timings = result.Timings,
    };

    public void Cancel() => Turn = Turn with
    {
        State = TurnState.Cancelled, Answer = Answer.SoFar(), Finish = Finish.Cancelled, Usage = UsageSoFar,
    };

    public void Fail() => Turn = Turn with
    {
        State = TurnState.Failed, Answer = Answer.SoFar(), Usage = UsageSoFar,
    };
}

/// <summary>The start of a turn.</summary>
/// <param name="Offset">The part of the answer that the caller already received.</param>
/// <param name="IsNew">True if it was never begun before.</param>
internal readonly record struct TurnStart(AnswerOffset Offset, bool IsNew);
