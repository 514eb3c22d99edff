using System.Collections.Concurrent;
using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Contracts.Placements;
using Herd.Grains.Hosting;
using Herd.Grains.Hosting.Configuration;
using Herd.Grains.Hosting.Lifetime;
using Herd.Grains.Nodes.Sessions;
using Herd.Grains.Placement;
using Herd.Inference.Kv;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Metadata;

namespace Herd.Grains.Nodes.Drain;

/// <summary>
/// Empties this node before its process stops: (1) it reports that it drains, so no new work arrives; (2) gateways
/// continue the running answers elsewhere; (3) conversations migrate their idle sessions, the most recently used first;
/// (4) the process stops when the node is empty or the time is up. If no other node takes sessions, they stay, and the
/// answers end here.
/// </summary>
internal sealed class NodeDrain(
    NodeHost host,
    IGrainFactory grains,
    IClusterMembershipService membership,
    IClusterManifestProvider manifests,
    GrainInterfaceTypeResolver interfaces,
    Eviction eviction,
    IOptions<NodeOptions> options,
    IOptions<ClusterOptions> cluster,
    TimeProvider time,
    IHostApplicationLifetime lifetime,
    ILogger<NodeDrain> logger) : StoppingService
{
    private const int MaxMigrations = 4;
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    private readonly TimeSpan _timeout = GracePeriod.DrainTimeout(cluster.Value, options.Value);

    /// <summary>The sessions and bytes to migrate.</summary>
    public async Task<DrainPreview> Preview()
    {
        var sessions = host.Loaded is { } model ? await model.Engine.Sessions() : [];
        var bytes = sessions.Sum(session => session.Bytes);
        return new DrainPreview(
            sessions.Count(session => session.IsActive),
            sessions.Count(session => !session.IsActive),
            bytes,
            host.Loaded is { } loaded
                ? ((sessions.Count * loaded.Pulls.Wait) + loaded.Pulls.Seconds(bytes)) / MaxMigrations
                : 0);
    }

    /// <summary>Begins the drain. The process stops when the node is empty.</summary>
    public void Request()
    {
        host.BeginDrain();
        lifetime.StopApplication();
    }

    /// <summary>Empties this node, then serves another model. The process stays.</summary>
    /// <param name="model">The model to serve; empty for none.</param>
    public async Task Switch(string model)
    {
        host.BeginDrain();
        try
        {
            await Empty(CancellationToken.None);
        }
        catch (Exception e)
        {
            NodeDrainLog.NotEmptied(logger, e, host.Loaded?.Id);
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

    /// <summary>Migrates the sessions of this node, within the drain timeout.</summary>
    public async Task Empty(CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(_timeout, time);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        try
        {
            if (host.Loaded is { } model && _timeout > TimeSpan.Zero && !eviction.WasEvicted && HasGateway())
            {
                await Empty(model, over.Token);
            }
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            NodeDrainLog.TimeUp(logger, _timeout.TotalSeconds);
        }
        catch (OperationCanceledException)
        {
            // The caller ended the drain, and the node serves on or stops.
        }
    }

    /// <summary>True if there is a gateway. Conversations live on gateways and migrate their sessions.</summary>
    private bool HasGateway()
    {
        var conversations = interfaces.GetGrainInterfaceType(typeof(IConversationGrain));
        return membership.CurrentSnapshot.Members.Values.Any(
            member => member.Status == SiloStatus.Active
                && manifests.Current.Serves(member.SiloAddress, conversations));
    }

    private async Task Empty(LoadedModel model, CancellationToken cancellation)
    {
        var started = time.GetTimestamp();
        var tried = new HashSet<string>();
        var migrated = 0;
        while (true)
        {
            var busy = new ConcurrentBag<string>();
            var sessions = await model.Engine.Sessions();
            var resting = sessions.Where(session => !session.IsActive && tried.Add(session.Session)).ToList();
            await Parallel.ForEachAsync(
                resting,
                new ParallelOptions { MaxDegreeOfParallelism = MaxMigrations, CancellationToken = cancellation },
                async (session, token) =>
                {
                    var outcome = await Migrate(session, token);
                    Interlocked.Add(ref migrated, outcome == Outcome.Migrated ? 1 : 0);
                    if (outcome == Outcome.Busy)
                    {
                        busy.Add(session.Session);
                    }
                });
            tried.ExceptWith(busy);

            // Running answers end here, or continue elsewhere. Their sessions stay here until they are pulled.
            if (resting.Count == 0
                && !sessions.Any(session => session.IsActive)
                && model.Engine.Load is { Active: 0, Queued: 0 })
            {
                NodeDrainLog.Drained(logger, time.GetElapsedTime(started).TotalSeconds, migrated, sessions.Count);
                return;
            }

            await Task.Delay(Poll, time, cancellation);
        }
    }

    private async Task<Outcome> Migrate(SessionSummary session, CancellationToken cancellation)
    {
        var key = SessionKey.Parse(session.Session);
        try
        {
            var conversation = grains.GetReachableGrain<IConversationGrain>(
                GrainKey.Conversation(key.Tenant, key.Conversation));
            var placement = await conversation.Migrate(
                key.Node, target: null, PlacementReason.NodeDrains, cancellation);
            return placement is null ? Outcome.Stays : Outcome.Migrated;
        }
        catch (HerdException e) when (e.Error == HerdError.TurnInProgress)
        {
            // The turn is about to continue on another node, which pulls the KV cache.
            return Outcome.Busy;
        }
        catch (Exception e) when (IsElsewhere(e) && !cancellation.IsCancellationRequested && HasGateway())
        {
            // The gateway has just stopped, or is cut off. Another one soon owns the conversation.
            return Outcome.Busy;
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellation.IsCancellationRequested)
        {
            NodeDrainLog.NotMigrated(logger, key.Conversation, e.GetType().Name, e.Message);
            return Outcome.Stays;
        }
    }

    private static bool IsElsewhere(Exception exception) =>
        exception is HerdException { Error: HerdError.Conflict or HerdError.Fenced }
            || CallFailure.IsTransient(exception);

    private enum Outcome
    {
        Migrated,
        Stays,
        Busy,
    }
}

internal static partial class NodeDrainLog
{
    [LoggerMessage(
        EventId = 410,
        Level = LogLevel.Information,
        Message = "Drained in {Seconds:F1} s: {Migrated} sessions migrated, {Left} not migrated")]
    public static partial void Drained(ILogger logger, double seconds, int migrated, int left);

    [LoggerMessage(
        EventId = 411,
        Level = LogLevel.Warning,
        Message = "The session of {Conversation} could not migrate ({Kind}: {Reason}). It will be restored or "
            + "replayed.")]
    public static partial void NotMigrated(ILogger logger, string conversation, string kind, string reason);

    [LoggerMessage(
        EventId = 413,
        Level = LogLevel.Error,
        Message = "Not all sessions of {Model} could migrate. The model is replaced; they will be replayed.")]
    public static partial void NotEmptied(ILogger logger, Exception exception, string? model);

    [LoggerMessage(
        EventId = 412,
        Level = LogLevel.Warning,
        Message = "The drain took longer than {Seconds:F0} s. The remaining answers are cut off and continue on "
            + "other nodes.")]
    public static partial void TimeUp(ILogger logger, double seconds);
}
