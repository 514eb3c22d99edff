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
using Herd.Grains.Hosting;

namespace Herd.Gateway.Conversations;

/// <summary>
/// Reaches conversations. A grain that is just moving to another gateway is called again: turn ids make that harmless, and
/// offsets see to it that nothing of an answer comes twice.
/// </summary>
internal sealed class ConversationClient(
    IGrainFactory grains, IConversationStore store, Quotas quotas, Admission admission, GatewayMetrics metrics, GatewayDrain handover, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>A conversation id that cannot be guessed: 128 random bits.</summary>
    public static string NewId() => "conv_" + RandomNumberGenerator.GetHexString(32, lowercase: true);

    /// <summary>The random part of an id, of which those that interfaces show are made.</summary>
    public static string WithoutPrefix(string id) => id[(id.IndexOf('_', StringComparison.Ordinal) + 1)..];

    public static string NewTurnId() => "turn_" + RandomNumberGenerator.GetHexString(32, lowercase: true);

    public async Task<Conversation> Create(Tenant tenant, string? model, string? system, CancellationToken cancellation)
    {
        await CheckRoom(tenant);
        var id = NewId();
        return await Call(() => Grain(tenant, id).Create(model, system, cancellation), cancellation);
    }

    public async Task<Conversation> Fork(Tenant tenant, string id, string? lastTurn, CancellationToken cancellation)
    {
        await CheckRoom(tenant);
        var copy = NewId();
        return await Call(() => Grain(tenant, id).Fork(copy, lastTurn, cancellation), cancellation);
    }

    public Task<Conversation> UpdateMetadata(Tenant tenant, string id, IReadOnlyDictionary<string, string> metadata, CancellationToken cancellation) =>
        Call(() => Grain(tenant, id).UpdateMetadata(metadata, cancellation), cancellation);

    public Task<Conversation> Read(Tenant tenant, string id, CancellationToken cancellation) =>
        Call(() => Grain(tenant, id).Read(cancellation), cancellation);

    /// <returns>Null when nothing was moved.</returns>
    public Task<PlacementDecision?> Move(Tenant tenant, string id, string? target, CancellationToken cancellation) => Call(
        async () => (await Grain(tenant, id).Read(cancellation)).Home is { } home
            ? await Grain(tenant, id).Move(home, target, PlacementReason.Asked, cancellation)
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
        using var counted = Admit(() => quotas.Begin(tenant));

        // What goes on was let in when it began.
        using var waiting = request.Offset == AnswerOffset.Start ? Admit(() => admission.Enter(request.Model)) : null;
        using var measured = new TurnMeasure(metrics, time);
        request = request with
        {
            Settings = request.Settings with { Priority = Lower(request.Settings.Priority, tenant.Limits.Priority) },
            Trace = Activity.Current?.Id,
        };
        while (true)
        {
            var (events, any) = await Call(() => Begin(tenant, id, request, cancellation), cancellation);
            await using (events)
            {
                while (any)
                {
                    var update = events.Current;
                    if (update.Delta is { } delta)
                    {
                        waiting?.Dispose();
                        measured.RecordFirstToken();
                        request = request with { Offset = request.Offset.After(delta) };
                    }

                    measured.Turn = update.Completed;
                    yield return update;
                    if (update.Completed is { } turn)
                    {
                        Charge(tenant, turn);
                        yield break;
                    }

                    any = await TryMoveNext(events, cancellation);
                }
            }
        }
    }

    private T Admit<T>(Func<T> admit)
    {
        try
        {
            return admit();
        }
        catch (HerdException e)
        {
            metrics.Refuse(e.Error);
            throw;
        }
    }

    /// <returns>False when the conversation has moved; whoever has it now goes on from where it was.</returns>
    private async Task<bool> TryMoveNext(IAsyncEnumerator<TurnEvent> events, CancellationToken cancellation)
    {
        try
        {
            return await events.MoveNextAsync();
        }
        catch (Exception e) when (IsMoving(e, cancellation))
        {
            ThrowIfLeaving();
            return false;
        }
    }

    private async Task<(IAsyncEnumerator<TurnEvent> Events, bool Any)> Begin(
        Tenant tenant, string id, TurnRequest request, CancellationToken cancellation)
    {
        var events = TurnEventReader.Read(Grain(tenant, id), request, cancellation).GetAsyncEnumerator(cancellation);
        try
        {
            return (events, await events.MoveNextAsync());
        }
        catch
        {
            await events.DisposeAsync();
            throw;
        }
    }

    private async Task<T> Call<T>(Func<Task<T>> call, CancellationToken cancellation)
    {
        for (var started = time.GetTimestamp(); ; await Task.Delay(Pause, time, cancellation))
        {
            ThrowIfLeaving();
            try
            {
                return await call();
            }
            catch (Exception e) when (IsMoving(e, cancellation))
            {
                if (time.GetElapsedTime(started) > Patience)
                {
                    throw new HerdException(
                        HerdError.Unavailable, $"The conversation cannot be reached ({e.GetType().Name}). Try again later.");
                }
            }
        }
    }

    private void ThrowIfLeaving()
    {
        if (handover.Started.IsCancellationRequested)
        {
            throw new HerdException(HerdError.Unavailable, "This gateway is about to end. Ask another; it goes on where this one was.");
        }
    }

    private static bool IsMoving(Exception exception, CancellationToken cancellation) => !cancellation.IsCancellationRequested && exception switch
    {
        HerdException herd => herd.Error is HerdError.Conflict or HerdError.Fenced,
        _ => CallFailure.IsTransient(exception),
    };

    private async Task CheckRoom(Tenant tenant)
    {
        if (tenant.Limits.Conversations is { } limit && await store.Count(tenant.Name) >= limit)
        {
            throw Quotas.Refusal($"{limit} stored conversations", retryAfter: null);
        }
    }

    private void Charge(Tenant tenant, Turn turn)
    {
        if (turn.Usage is { } usage)
        {
            quotas.Charge(tenant, usage);
        }
    }

    private static TurnPriority Lower(TurnPriority one, TurnPriority other) => (TurnPriority)Math.Max((int)one, (int)other);

    private IConversationGrain Grain(Tenant tenant, string id) =>
        grains.GetGrain<IConversationGrain>(GrainKey.Conversation(tenant.Name, id));
}
