using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Contracts.Placements;
using Herd.Grains.Hosting;
using Herd.Grains.Routing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;
using Orleans.Placement;

namespace Herd.Grains.Rebalancing;

/// <summary>
/// Carries out the <see cref="RebalancePlan"/> for every model, within the <see cref="MigrationBudget"/>.
/// </summary>
[PreferLocalPlacement, Immovable, Reentrant]
internal sealed class RebalancerGrain(
    IGrainContext context,
    NodeRegistry registry,
    Router router,
    IGrainFactory grains,
    IOptions<RebalanceOptions> options,
    TimeProvider time,
    ILogger<RebalancerGrain> logger)
    : Grain(context), IRebalancerGrain
{
    private readonly MigrationBudget _budget = new(options.Value, time);
    private bool _isRunning;

    public async Task Rebalance()
    {
        if (_isRunning)
        {
            return;
        }

        _isRunning = true;
        try
        {
            foreach (var model in registry.Models)
            {
                foreach (var transfer in RebalancePlan.Create(router.Shares(model.Id), options.Value))
                {
                    await Migrate(transfer, model.Id);
                }
            }
        }
        finally
        {
            _isRunning = false;
        }
    }

    private async Task Migrate(Migration transfer, string model)
    {
        var moved = 0;
        foreach (var session in await grains.GetReachableGrain<INodeGrain>(transfer.From).RestingSessions(model))
        {
            var key = GrainKey.Conversation(session.Tenant, session.Conversation);
            if (moved == transfer.Sessions || registry.Find(transfer.To) is not { State: NodeState.Ready })
            {
                break;
            }

            moved += _budget.TryTake(key) && await TryMove(key, transfer) ? 1 : 0;
        }

        if (moved > 0)
        {
            RebalancerLog.Moved(logger, moved, transfer.From, transfer.To);
        }
    }

    private async Task<bool> TryMove(string conversation, Migration transfer)
    {
        try
        {
            return await grains.GetGrain<IConversationGrain>(conversation)
                .Move(transfer.From, transfer.To, PlacementReason.Rebalanced, CancellationToken.None) is not null;
        }
        catch (Exception e) when (e is HerdException || CallFailure.IsTransient(e))
        {
            // The conversation is busy or cannot be reached. Its session stays.
            return false;
        }
    }
}

internal static partial class RebalancerLog
{
    [LoggerMessage(
        EventId = 520,
        Level = LogLevel.Information,
        Message = "Moved {Sessions} sessions at rest from {From} to {To}")]
    public static partial void Moved(ILogger logger, int sessions, string from, string to);
}
