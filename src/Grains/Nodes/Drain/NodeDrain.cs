using System.Collections.Concurrent;
using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Contracts.Placements;
using Herd.Grains.Hosting;
using Herd.Grains.Placement;
using Herd.Inference.Kv;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Metadata;

namespace Herd.Grains.Nodes.Drain;

/// <summary>
/// Empties this node before its process ends: (1) it says that it drains, so nothing new comes; (2) gateways move the
/// answers in the making by themselves; (3) each session at rest is moved by its conversation, those used last first; (4) when
/// nothing is left, or time is up, the process goes on to stop. Where no other node takes sessions they stay, and the answers
/// are finished here.
/// </summary>
internal sealed class NodeDrain(
    NodeHost host,
    IGrainFactory grains,
    IClusterMembershipService membership,
    IClusterManifestProvider manifests,
    GrainInterfaceTypeResolver interfaces,
    Eviction expulsion,
    IOptions<NodeOptions> options,
    IOptions<Hosting.ClusterOptions> cluster,
    TimeProvider time,
    IHostApplicationLifetime lifetime,
    ILogger<NodeDrain> logger) : StoppingService
{
    private const int Movers = 4;
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    private readonly TimeSpan _most = GracePeriod.DrainTimeout(cluster.Value, options.Value);

    /// <summary>What there is to move.</summary>
    public async Task<DrainPreview> Preview()
    {
        var sessions = host.Loaded is { } model ? await model.Engine.Sessions() : [];
        var bytes = sessions.Sum(session => session.Bytes);
        return new DrainPreview(
            sessions.Count(session => session.IsActive),
            sessions.Count(session => !session.IsActive),
            bytes,
            host.Loaded is { } loaded ? ((sessions.Count * loaded.Pulls.Wait) + loaded.Pulls.Seconds(bytes)) / Movers : 0);
    }

    /// <summary>Begins; the process ends when nothing is left.</summary>
    public void Request()
    {
        host.BeginDrain();
        lifetime.StopApplication();
    }

    /// <summary>Moves everything off this node, then serves another model; the process stays.</summary>
    /// <param name="model">Which; empty serves none.</param>
    public async Task Switch(string model)
    {
        host.BeginDrain();
        try
        {
            await Empty(CancellationToken.None);
        }
        catch (Exception e)
        {
            NodeDrainLog.NotEmptied(logger, e);
        }

        host.Replace(model);
    }

    /// <inheritdoc/>
    public override async Task StoppingAsync(CancellationToken cancellationToken)
    {
        host.BeginDrain();
        await Empty(cancellationToken);
        host.EndDrain();
    }

    /// <summary>Moves off this node what can be moved, within the time there is.</summary>
    public async Task Empty(CancellationToken cancellation)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        over.CancelAfter(_most);
        try
        {
            if (host.Loaded is { } model && _most > TimeSpan.Zero && !expulsion.WasEvicted && HasGateway())
            {
                await Empty(model, over.Token);
            }
        }
        catch (OperationCanceledException)
        {
            NodeDrainLog.TimeUp(logger, _most.TotalSeconds);
        }
    }

    /// <summary>Without a gateway no conversation can be asked to move.</summary>
    private bool HasGateway()
    {
        var conversations = interfaces.GetGrainInterfaceType(typeof(IConversationGrain));
        return membership.CurrentSnapshot.Members.Values.Any(
            member => member.Status == SiloStatus.Active && manifests.Current.Serves(member.SiloAddress, conversations));
    }

    private async Task Empty(LoadedModel model, CancellationToken cancellation)
    {
        var started = time.GetTimestamp();
        var tried = new HashSet<string>();
        var moved = 0;
        while (true)
        {
            var busy = new ConcurrentBag<string>();
            var sessions = await model.Engine.Sessions();
            var resting = sessions.Where(session => !session.IsActive && tried.Add(session.Session)).ToList();
            await Parallel.ForEachAsync(
                resting,
                new ParallelOptions { MaxDegreeOfParallelism = Movers, CancellationToken = cancellation },
                async (session, token) =>
                {
                    var outcome = await Move(session, token);
                    Interlocked.Add(ref moved, outcome == Outcome.Moved ? 1 : 0);
                    if (outcome == Outcome.Busy)
                    {
                        busy.Add(session.Session);
                    }
                });
            tried.ExceptWith(busy);

            // Those in the making end here, or go on elsewhere and rest here until they are pulled.
            if (resting.Count == 0 && !sessions.Any(session => session.IsActive) && model.Engine.Load is { Active: 0, Queued: 0 })
            {
                NodeDrainLog.Drained(logger, moved, sessions.Count, time.GetElapsedTime(started).TotalSeconds);
                return;
            }

            await Task.Delay(Poll, time, cancellation);
        }
    }

    private async Task<Outcome> Move(SessionSummary session, CancellationToken cancellation)
    {
        var key = SessionKey.Parse(session.Session);
        try
        {
            var conversation = grains.GetReachableGrain<IConversationGrain>(GrainKey.Conversation(key.Tenant, key.Conversation));
            return await conversation.Move(key.Node, target: null, PlacementReason.NodeDrains, cancellation) is not null
                ? Outcome.Moved
                : Outcome.Stays;
        }
        catch (HerdException e) when (e.Error == HerdError.TurnInProgress)
        {
            // Its turn is about to go on elsewhere, and wants the KV cache for that.
            return Outcome.Busy;
        }
        catch (Exception e) when (IsElsewhere(e) && !cancellation.IsCancellationRequested && HasGateway())
        {
            // Its gateway has just gone, or was cut off and knows too little; soon it lives at another one.
            return Outcome.Busy;
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellation.IsCancellationRequested)
        {
            NodeDrainLog.NotMoved(logger, e.GetType().Name, e.Message);
            return Outcome.Stays;
        }
    }

    private static bool IsElsewhere(Exception exception) =>
        exception is HerdException { Error: HerdError.Conflict or HerdError.Fenced } || CallFailure.IsTransient(exception);

    private enum Outcome
    {
        Moved,
        Stays,
        Busy,
    }
}

internal static partial class NodeDrainLog
{
    [LoggerMessage(EventId = 410, Level = LogLevel.Information, Message = "Drained: {Moved} sessions moved, {Left} stay on disk, in {Seconds:F1} s")]
    public static partial void Drained(ILogger logger, int moved, int left, double seconds);

    [LoggerMessage(EventId = 411, Level = LogLevel.Warning, Message = "A session could not be moved ({Kind}: {Reason}); it will be restored or replayed")]
    public static partial void NotMoved(ILogger logger, string kind, string reason);

    [LoggerMessage(EventId = 413, Level = LogLevel.Error, Message = "Not everything could be moved off; the model is replaced all the same")]
    public static partial void NotEmptied(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 412, Level = LogLevel.Warning, Message = "Draining took longer than {Seconds:F0} s; what is left is cut off and goes on elsewhere")]
    public static partial void TimeUp(ILogger logger, double seconds);
}
