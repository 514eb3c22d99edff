using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Placements;
using Herd.Gateway.Telemetry;
using Herd.Gateway.Tenants;
using Herd.Grains.Conversations;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Conversations.Turns.Events;
using Herd.Grains.Hosting;

namespace Herd.Gateway.Conversations;

/// <summary>
/// Calls the grains of conversations. A call is tried again while the conversation changes its owner. The turn id makes
/// the second call harmless, and the offset ensures that no part of an answer is delivered twice.
/// </summary>
internal sealed class ConversationClient(
    IGrainFactory grains,
    TurnEventReader turnEvents,
    IConversationStore store,
    StoredBytes storedBytes,
    Quotas quotas,
    Admission admission,
    GatewayMetrics metrics,
    GatewayDrain drain,
    TimeProvider time)
{
    private static readonly TimeSpan RetryTime = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);

    /// <summary>A new conversation id, with 128 random bits.</summary>
    public static string NewId() => "conv_" + RandomNumberGenerator.GetHexString(32, lowercase: true);

    /// <summary>The random part of an id. The ids of other APIs are made from it.</summary>
    public static string WithoutPrefix(string id) => id[(id.IndexOf('_', StringComparison.Ordinal) + 1)..];

    public static string NewTurnId() => "turn_" + RandomNumberGenerator.GetHexString(32, lowercase: true);

    public async Task<Conversation> Create(Tenant tenant, string? model, string? system, CancellationToken cancellation)
    {
        var id = NewId();
        await ReservePlace(tenant, id);
        return await Call(() => Grain(tenant, id).Create(model, system, cancellation), cancellation);
    }

    public async Task<Conversation> Fork(Tenant tenant, string id, string? lastTurn, CancellationToken cancellation)
    {
        var copy = NewId();
        await ReservePlace(tenant, copy);
        return await Call(() => Grain(tenant, id).Fork(copy, lastTurn, cancellation), cancellation);
    }

    public async Task<Conversation> UpdateMetadata(
        Tenant tenant, string id, IReadOnlyDictionary<string, string> metadata, CancellationToken cancellation)
    {
        await storedBytes.Give(tenant);
        return await Call(() => Grain(tenant, id).UpdateMetadata(metadata, cancellation), cancellation);
    }

    public Task<Conversation> Read(Tenant tenant, string id, CancellationToken cancellation) =>
        Call(() => Grain(tenant, id).Read(cancellation), cancellation);

    /// <returns>Null if the conversation did not migrate.</returns>
    public Task<PlacementDecision?> Migrate(
        Tenant tenant, string id, string? target, CancellationToken cancellation) => Call(
        async () => (await Grain(tenant, id).Read(cancellation)).Home is { } home
            ? await Grain(tenant, id).Migrate(home, target, PlacementReason.Asked, cancellation)
            : null,
        cancellation);

    public Task<Turn> Cancel(Tenant tenant, string id, string turn, CancellationToken cancellation) =>
        Call(() => Grain(tenant, id).Cancel(turn, cancellation), cancellation);

    public Task DeleteTurn(Tenant tenant, string id, string turn, CancellationToken cancellation) => Call(
        async () =>
        {
            await Grain(tenant, id).DeleteTurn(turn, cancellation);
            return true;
        },
        cancellation);

    public Task Delete(Tenant tenant, string id, CancellationToken cancellation) => Call(
        async () =>
        {
            await Grain(tenant, id).Delete(cancellation);
            return true;
        },
        cancellation);

    public async IAsyncEnumerable<TurnEvent> Converse(
        Tenant tenant, string id, TurnRequest request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        // A resumed turn was admitted when it began.
        var isResumed = request.Offset != AnswerOffset.Start;
        request = request with
        {
            Settings = request.Settings with { Priority = Lower(request.Settings.Priority, tenant.Limits.Priority) },
            Trace = Activity.Current?.Id,
            Key = tenant.Key,
        };
        using var waiting = isResumed
            ? null
            : await Admit(() => Task.FromResult(admission.Enter(tenant.Name, request)));
        await using var quota = await Admit(() => quotas.Begin(
            tenant, Admission.NewTokens(request.Input), request.Settings.MaxTokens, isResumed));
        await storedBytes.Give(tenant);
        using var measured = new TurnMeasure(metrics, time);
        while (true)
        {
            var events = await ReadFirst(tenant, id, request, cancellation);
            await using (events)
            {
                do
                {
                    var update = events.Current;
                    quota.Charge(update.Computed);
                    if (update.Delta is { Tokens: 0, Text: "" })
                    {
                        continue;
                    }

                    if (update.Delta is { } delta)
                    {
                        waiting?.Dispose();
                        measured.RecordFirstToken();
                        request = request with { Offset = request.Offset.After(delta) };
                    }

                    measured.Turn = update.Completed;
                    if (update.Completed is not null)
                    {
                        // A reader may stop at this event, so nothing behind it is certain to run.
                        await quota.DisposeAsync();
                        yield return update;
                        yield break;
                    }

                    yield return update;
                }
                while (await TryReadNext(events, cancellation));
            }
        }
    }

    private async Task<T> Admit<T>(Func<Task<T>> admit)
    {
        try
        {
            return await admit();
        }
        catch (HerdException e)
        {
            metrics.Refuse(e.Error);
            throw;
        }
    }

    private async Task<IAsyncEnumerator<TurnEvent>> ReadFirst(
        Tenant tenant, string id, TurnRequest request, CancellationToken cancellation)
    {
        try
        {
            return await Call(
                () => turnEvents.Read(Grain(tenant, id), request, cancellation).ReadFirst(cancellation), cancellation);
        }
        catch (Exception e) when (IsFailure(e, cancellation))
        {
            metrics.Fail(e);
            throw;
        }
    }

    /// <returns>False if another gateway owns the conversation now, where the turn is resumed.</returns>
    private async Task<bool> TryReadNext(IAsyncEnumerator<TurnEvent> events, CancellationToken cancellation)
    {
        try
        {
            await events.ReadNext();
            return true;
        }
        catch (Exception e) when (IsOwnerChange(e, cancellation))
        {
            return false;
        }
        catch (Exception e) when (IsFailure(e, cancellation))
        {
            metrics.Fail(e);
            throw;
        }
    }

    /// <summary>True if an error counts as a failed turn: its caller is there, and the conversation not busy.</summary>
    private static bool IsFailure(Exception exception, CancellationToken cancellation) =>
        !cancellation.IsCancellationRequested && exception is not HerdException { Error: HerdError.TurnInProgress };

    private async Task<T> Call<T>(Func<Task<T>> call, CancellationToken cancellation)
    {
        for (var started = time.GetTimestamp(); ; await Task.Delay(RetryDelay, time, cancellation))
        {
            ThrowIfLeaving();
            try
            {
                return await call();
            }
            catch (Exception e) when (IsOwnerChange(e, cancellation))
            {
                if (time.GetElapsedTime(started) > RetryTime)
                {
                    throw new HerdException(
                        HerdError.Unavailable,
                        $"The conversation cannot be reached ({e.GetType().Name}). Send the request again later.");
                }
            }
        }
    }

    private void ThrowIfLeaving()
    {
        if (drain.Started.IsCancellationRequested)
        {
            throw new HerdException(
                HerdError.Unavailable,
                "This gateway is shutting down. Send the request to another gateway, which resumes the turn.");
        }
    }

    private static bool IsOwnerChange(Exception exception, CancellationToken cancellation) =>
        !cancellation.IsCancellationRequested && exception switch
        {
            HerdException herd => herd.Error is HerdError.Conflict or HerdError.Fenced,
            _ => CallFailure.IsTransient(exception),
        };

    private async Task ReservePlace(Tenant tenant, string conversation)
    {
        await storedBytes.Give(tenant);
        if (tenant.Limits.Conversations is { } limit && !await store.TryReserve(tenant.Name, conversation, limit))
        {
            throw Quotas.Refusal($"{limit} stored conversations", retryAfter: null);
        }
    }

    private static TurnPriority Lower(TurnPriority one, TurnPriority other) =>
        (TurnPriority)Math.Max((int)one, (int)other);

    private IConversationGrain Grain(Tenant tenant, string id) =>
        grains.GetGrain<IConversationGrain>(GrainKey.Conversation(tenant.Name, id));
}
