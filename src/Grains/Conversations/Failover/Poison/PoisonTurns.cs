using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Grains.Conversations.Turns;
using Herd.Grains.Routing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Conversations.Failover.Poison;

/// <summary>
/// Keeps the nodes from turns that fail what computes them (docs/decisions/poison-turns.md). A turn that failed two
/// nodes without progress between them is a suspect. It is taken to no third node: it goes on trial on one of the two
/// when that is back. If it fails its trials, or none of its nodes comes back, it is poison: it fails, and its content
/// is refused for a while, at every gateway.
/// </summary>
internal sealed class PoisonTurns(
    NodeRegistry registry,
    TurnRouter router,
    PoisonRegister register,
    ContentDigest digests,
    IOptions<PoisonOptions> options,
    TimeProvider time,
    ILogger<PoisonTurns> logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// What is held against a turn before an attempt. For a suspect it begins a trial, and waits for a node for that.
    /// </summary>
    /// <returns>Null if nothing is.</returns>
    /// <exception cref="HerdException">The content is poison.</exception>
    public async Task<Suspicion?> Examine(TurnContext context)
    {
        var digest = Digest(context);
        for (var seen = time.GetTimestamp(); ; await Task.Delay(Interval, time, context.Cancellation))
        {
            var suspect = await register.Find(digest);
            switch (suspect)
            {
                case null:
                    return null;
                case { IsPoison: true }:
                    throw Refusal(suspect);
                case { IsSuspect: false }:
                    return new Suspicion(register, suspect, context);
            }

            context.Failures.ThrowIfHopeless(context.Model);
            var nodes = suspect.Nodes.Where(node => IsReady(node, context.Model)).ToList();
            foreach (var node in nodes)
            {
                if (await TryBegin(context, suspect, node) is { } trial)
                {
                    return trial;
                }
            }

            if (nodes.Count > 0)
            {
                // It waits for the trials of others.
                seen = time.GetTimestamp();
            }
            else if (time.GetElapsedTime(seen) >= options.Value.NodeReturnTimeout)
            {
                // A gateway that sees no node at all has lost the cluster, and judges nothing.
                throw registry.Nodes.Any(node => IsReady(node.Node, context.Model))
                    ? await Convict(suspect)
                    : RoutingErrors.NoNodeReady($"the model '{context.Model}'");
            }
        }
    }

    /// <summary>Records that a node failed while it computed a turn.</summary>
    /// <param name="context">The turn.</param>
    /// <param name="suspicion">What was held against it before the attempt.</param>
    /// <param name="node">The node.</param>
    /// <exception cref="HerdException">The turn is poison.</exception>
    public async Task RecordFailure(TurnContext context, Suspicion? suspicion, string node)
    {
        var before = suspicion is { IsAcquitted: false } ? suspicion.Content : null;
        var suspect = (before ?? new SuspectContent
        {
            Digest = Digest(context),
            Tenant = context.Transcript.Tenant,
            Conversation = context.Transcript.Id,
            Turn = context.Turn.Id,
            Tokens = context.Answer.Tokens.Count,
            Expires = time.GetUtcNow() + options.Value.RefusalTime,
        }).AddFailure(node);
        if (suspect.FailedTrials >= SuspectContent.MaxFailedTrials)
        {
            throw await Convict(suspect);
        }

        await register.Save(suspect);
        if (suspect.IsSuspect)
        {
            PoisonLog.Suspect(logger, suspect.Conversation, suspect.Turn, Names(suspect), suspect.Digest);
        }
    }

    private async Task<Suspicion?> TryBegin(TurnContext context, SuspectContent suspect, string node)
    {
        var id = $"{suspect.Conversation}/{context.Turn.Id}";
        if (!await register.TryReserve(node, id))
        {
            return null;
        }

        if (router.RouteTo(context, node) is { } placement)
        {
            return new Suspicion(register, suspect, context, placement, trial: id);
        }

        await register.EndReservation(node, id);
        return null;
    }

    private async Task<HerdException> Convict(SuspectContent suspect)
    {
        var poison = suspect with { IsPoison = true, Expires = time.GetUtcNow() + options.Value.RefusalTime };
        PoisonLog.Poison(logger, poison.Conversation, poison.Turn, Names(poison), poison.Digest, poison.Expires);
        await register.Save(poison);
        return Refusal(poison);
    }

    private HerdException Refusal(SuspectContent poison) => new HerdException(
        HerdError.PoisonTurn,
        "The nodes that computed this turn failed, so it is tried on no other. The same content is refused until "
        + $"{poison.Expires:u}. Change the message; the operator sees more ('herd doctor').")
        .With("digest", poison.Digest)
        .RetryAfter(poison.Expires - time.GetUtcNow());

    private string Digest(TurnContext context) =>
        digests.Compute(context.Transcript.Tenant, context.Model, context.Transcript.Conversation!);

    private bool IsReady(string node, string model) =>
        registry.Find(node) is { State: NodeState.Ready } report && report.Models.Any(served => served.Id == model);

    private static string Names(SuspectContent content) => string.Join(", ", content.Nodes);
}
