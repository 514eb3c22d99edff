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
                foreach (var migration in RebalancePlan.Create(router.Shares(model.Id), options.Value))
                {
                    await Migrate(migration, model.Id);
                }
            }
        }
        finally
        {
            _isRunning = false;
        }
    }

    private async Task Migrate(Migration migration, string model)
    {
        var migrated = 0;
        foreach (var session in await grains.GetReachableGrain<INodeGrain>(migration.From).RestingSessions(model))
        {
            var key = GrainKey.Conversation(session.Tenant, session.Conversation);
            if (migrated == migration.Sessions || registry.Find(migration.To) is not { State: NodeState.Ready })
            {
                break;
            }

            migrated += _budget.TryTake(key) && await TryMigrate(key, migration) ? 1 : 0;
        }

        if (migrated > 0)
        {
            RebalancerLog.Migrated(logger, migrated, migration.From, migration.To);
        }
    }

    private async Task<bool> TryMigrate(string conversation, Migration migration)
    {
        try
        {
            return await grains.GetGrain<IConversationGrain>(conversation)
                .Migrate(migration.From, migration.To, PlacementReason.Rebalanced, CancellationToken.None) is not null;
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
        Message = "Migrated {Sessions} sessions at rest from {From} to {To}")]
    public static partial void Migrated(ILogger logger, int sessions, string from, string to);
}
