using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Placements;

namespace Herd.Gateway.Conversations;

/// <summary>
/// Reaches conversations. A grain that is just moving to another gateway is called again: turn ids make that harmless,
/// as long as nothing of the answer has been delivered.
/// </summary>
internal sealed class ConversationClient(IGrainFactory grains, TimeProvider time)
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
        var (events, any) = await Call(() => Begin(tenant, id, request, cancellation), cancellation);
        await using (events)
        {
            for (; any; any = await events.MoveNextAsync())
            {
                yield return events.Current;
            }
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

    private static bool IsMoving(Exception exception) => exception switch
    {
        HerdException herd => herd.Error is HerdError.Conflict or HerdError.Fenced,
        OrleansException or TimeoutException => true,
        _ => false,
    };

    private IConversationGrain Grain(string tenant, string id) =>
        grains.GetGrain<IConversationGrain>(GrainKey.Conversation(tenant, id));
}
