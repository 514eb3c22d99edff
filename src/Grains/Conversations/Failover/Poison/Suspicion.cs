using Herd.Contracts.Placements;
using Herd.Grains.Conversations.Turns;

namespace Herd.Grains.Conversations.Failover.Poison;

/// <summary>
/// An attempt at content that failed nodes before. It is acquitted when its answer grows or completes. A suspect's
/// attempt is a trial: it runs on a node that the content has failed, and no other trial runs there.
/// </summary>
internal sealed class Suspicion : IDisposable
{
    /// <summary>With so many tokens more than at the first failure, content counts as harmless.</summary>
    public const int MinProgress = 8;

    private readonly PoisonRegister _register;
    private readonly TurnContext _context;
    private readonly string? _trial;

    /// <param name="register">Where the content is removed if it is acquitted.</param>
    /// <param name="content">The content.</param>
    /// <param name="context">The turn.</param>
    public Suspicion(PoisonRegister register, SuspectContent content, TurnContext context)
    {
        (_register, _context, Content) = (register, context, content);
        context.Answer.OnceAt(content.Tokens + MinProgress, Acquit);
    }

    /// <param name="register">Where the content is removed if it is acquitted.</param>
    /// <param name="content">The content.</param>
    /// <param name="context">The turn.</param>
    /// <param name="placement">The node of the trial.</param>
    /// <param name="trial">The id under which the node is reserved.</param>
    public Suspicion(
        PoisonRegister register,
        SuspectContent content,
        TurnContext context,
        PlacementDecision placement,
        string trial)
        : this(register, content, context)
    {
        (Placement, _trial) = (placement, trial);
        context.IsOnTrial = true;
    }

    public SuspectContent Content { get; }

    /// <summary>The node of the trial; null if the content may still run anywhere.</summary>
    public PlacementDecision? Placement { get; }

    public bool IsAcquitted { get; private set; }

    public void Acquit()
    {
        if (!IsAcquitted)
        {
            IsAcquitted = true;
            _register.Remove(Content.Digest).Ignore();
            EndTrial();
        }
    }

    public void Dispose()
    {
        _context.Answer.OnceAt(int.MaxValue, Acquit);
        EndTrial();
    }

    private void EndTrial()
    {
        _context.IsOnTrial = false;
        if (_trial is not null)
        {
            _register.EndReservation(Placement!.Node, _trial).Ignore();
        }
    }
}
