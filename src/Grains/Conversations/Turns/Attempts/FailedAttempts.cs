using Herd.Contracts.Errors;
using Herd.Contracts.Placements;
using Herd.Grains.Conversations.Failover.Poison;
using Herd.Grains.Routing;
using Microsoft.Extensions.Logging;

namespace Herd.Grains.Conversations.Turns.Attempts;

/// <summary>Records attempts that ended with <see cref="AttemptStatus.NodeFailed"/>.</summary>
internal sealed class FailedAttempts(NodeRegistry registry, PoisonTurns poison, ILogger<FailedAttempts> logger)
{
    /// <param name="context">The turn.</param>
    /// <param name="suspicion">What was held against it before the attempt.</param>
    /// <param name="node">The node.</param>
    /// <param name="fault">The fault of the call; null if the registry knows already that the node failed.</param>
    /// <exception cref="HerdException">The turn is poison.</exception>
    public async Task Record(TurnContext context, Suspicion? suspicion, string node, Exception? fault)
    {
        var tokens = context.Answer.Tokens.Count;
        if (fault is null)
        {
            TurnLog.Left(logger, node, PlacementReason.NodeFailed, tokens);
        }
        else
        {
            TurnLog.NodeFailed(logger, node, tokens, fault.GetType().Name, fault.Message);
            context.Failures.Add(node, fault);
        }

        if (fault is HerdException)
        {
            // The response of a node that lives: it is overloaded, or stops.
            return;
        }

        if (fault is not null)
        {
            registry.MarkLost(node);
        }

        await poison.RecordFailure(context, suspicion, node);
    }
}
