using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Placements;
using Herd.Grains.Conversations;

namespace Herd.Gateway.Conversations;

/// <summary>
/// Reaches conversations. A grain that is just moving to another gateway is called again: turn ids make that harmless, and
/// offsets see to it that nothing of an answer comes twice.
/// </summary>
internal sealed class ConversationClient(IGrainFactory grains, Handover handover, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>A conversation id that cannot be guessed: 128 random bits.</summary>
    public static string NewId() => "conv_" + RandomNumberGenerator.GetHexString(32, lowercase: true);

    public static string NewTurnId() => "turn_" + RandomNumberGenerator.GetHexString(32, lowercase: true);

    public Task<Conversation> Create(string tenant, string? model, string? system, CancellationToken cancellation)
    {
        var id = NewId();
        return Call(() => Grain(tenant, id).Create(model, system, cancellation), cancellation);
    }

    public Task<Conversation> Fork(string tenant, string id, string? lastTurn, CancellationToken cancellation)
    {
        var copy = NewId();
        return Call(() => Grain(tenant, id).Fork(copy, lastTurn, cancellation), cancellation);
    }

    public Task<Conversation> Read(string tenant, string id, CancellationToken cancellation) =>
        Call(() => Grain(tenant, id).Read(cancellation), cancellation);

    /// <returns>Null when nothing was moved.</returns>
    public Task<PlacementDecision?> Move(string tenant, string id, string? target, CancellationToken cancellation) => Call(
        async () => (await Grain(tenant, id).Read(cancellation)).Home is { } home
            ? await Grain(tenant, id).Move(home, target, PlacementReason.Asked, cancellation)
            : null,
        cancellation);

    public Task Delete(string tenant, string id, CancellationToken cancellation) => Call(
        async () =>
        {
            await Grain(tenant, id).Delete(cancellation);
            return true;
        },
        cancellation);

    public async IAsyncEnumerable<TurnEvent> Converse(
        string tenant, string id, TurnRequest request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        while (true)
        {
            var (events, any) = await Call(() => Begin(tenant, id, request, cancellation), cancellation);
            await using (events)
            {
                while (any)
                {
                    var update = events.Current;
                    request = update.Delta is { } delta ? request with { Offset = request.Offset.After(delta) } : request;
                    yield return update;
                    if (update.Completed is not null)
                    {
                        yield break;
                    }

                    any = await TryMoveNext(events, cancellation);
                }
            }
        }
    }

    /// <returns>False when the conversation has moved; whoever has it now goes on from where it was.</returns>
    private async Task<bool> TryMoveNext(IAsyncEnumerator<TurnEvent> events, CancellationToken cancellation)
    {
        try
        {
            return await events.MoveNextAsync();
        }
        catch (Exception e) when (IsMoving(e) && !cancellation.IsCancellationRequested)
        {
            ThrowIfLeaving();
            return false;
        }
    }

    private async Task<(IAsyncEnumerator<TurnEvent> Events, bool Any)> Begin(
        string tenant, string id, TurnRequest request, CancellationToken cancellation)
    {
        var events = Grain(tenant, id).Converse(request, cancellation).GetAsyncEnumerator(cancellation);
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
            catch (Exception e) when (IsMoving(e))
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
        if (handover.Begun.IsCancellationRequested)
        {
            throw new HerdException(HerdError.Unavailable, "This gateway is about to end. Ask another; it goes on where this one was.");
        }
    }

    private static bool IsMoving(Exception exception) => exception switch
    {
        HerdException herd => herd.Error is HerdError.Conflict or HerdError.Fenced,
        OrleansException or TimeoutException => true,
        _ => false,
    };

    private IConversationGrain Grain(string tenant, string id) =>
        grains.GetGrain<IConversationGrain>(GrainKey.Conversation(tenant, id));
}
