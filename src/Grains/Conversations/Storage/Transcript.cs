using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Placements;
using StackExchange.Redis;

namespace Herd.Grains.Conversations.Storage;

/// <summary>
/// A conversation in memory and in the store. A change is stored before it is used. While the store does not respond, a
/// conversation that is in memory continues; its writes wait until <see cref="Flush"/> succeeds. If a write finds that
/// another owner has written, the transcript is stale, and its grain deactivates.
/// </summary>
internal sealed class Transcript(IConversationStore store, string tenant, string id) : IDisposable
{
    private const int AllSaved = int.MaxValue;

    private readonly string _owner = Guid.NewGuid().ToString("N");
    private readonly SemaphoreSlim _writing = new(1);
    private StoredConversation? _stored;
    private int _firstUnsaved = AllSaved;
    private bool _hasEpoch;

    public string Tenant => tenant;

    public string Id => id;

    /// <summary>Null if there is no such conversation.</summary>
    public Conversation? Conversation { get; private set; }

    /// <summary>True if all of it is stored.</summary>
    public bool IsSaved => _firstUnsaved == AllSaved;

    /// <summary>Called after a write that the store did not take, so that it waits in memory.</summary>
    public Action? OnUnsaved { get; set; }

    public Task Load(CancellationToken cancellation) => Guard(async () =>
    {
        _stored = await store.Read(tenant, id, cancellation);
        Conversation = _stored?.Conversation;
    });

    /// <summary>
    /// True if another owner has written since, so that memory is stale; null if the store does not respond.
    /// </summary>
    public async Task<bool?> IsStale(CancellationToken cancellation)
    {
        await _writing.WaitAsync(cancellation);
        try
        {
            var last = await store.ReadLastWrite(tenant, id, cancellation);

            // A write of this owner that was not confirmed may have been stored.
            return last?.Revision != _stored?.Revision && (IsSaved || last?.Owner != _owner);
        }
        catch (Exception e) when (IsAway(e))
        {
            return null;
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>
    /// The conversation, after a check that no other owner has written it since; null if there is none. While the store
    /// is away, memory counts.
    /// </summary>
    /// <exception cref="HerdException">Another owner has written since: <see cref="HerdError.Conflict"/>.</exception>
    public async Task<Conversation?> FindCurrent(CancellationToken cancellation)
    {
        await CheckIsCurrent(cancellation);
        return Conversation;
    }

    /// <summary>The conversation, after the same check.</summary>
    /// <exception cref="HerdException">Another owner has written since, or there is no conversation.</exception>
    public async Task<Conversation> ReadCurrent(CancellationToken cancellation) =>
        await FindCurrent(cancellation) ?? throw ConversationErrors.NotFound(id);

    /// <summary>Checks that no other owner has written since. Without the store's response the check fails.</summary>
    /// <exception cref="HerdException">Another owner has written since, or the store does not respond.</exception>
    public async Task RequireCurrent(CancellationToken cancellation)
    {
        if (!await CheckIsCurrent(cancellation))
        {
            throw new HerdException(
                HerdError.StoreUnavailable,
                $"The store does not respond, so it is unknown if another gateway continued the conversation {id}. " +
                "Try again later.");
        }
    }

    /// <summary>Replaces the turns from one on.</summary>
    /// <exception cref="HerdException">
    /// It was never stored and the store does not respond, another owner has written, or the tenant's limit is reached.
    /// </exception>
    public async Task Write(Conversation next, int firstTurn)
    {
        var before = (Conversation, _firstUnsaved);
        Conversation = next;
        _firstUnsaved = Math.Min(_firstUnsaved, firstTurn);
        try
        {
            await Store(isAccepted: false);
        }
        catch (HerdException e) when (e.Error == HerdError.StoreUnavailable && _stored is not null)
        {
            // The change is in memory. A later flush stores it.
            OnUnsaved?.Invoke();
        }
        catch
        {
            (Conversation, _firstUnsaved) = before;
            throw;
        }
    }

    /// <summary>Stores all changes that are not stored yet.</summary>
    /// <exception cref="HerdException">The store does not respond, or another owner has written.</exception>
    public Task Flush() => Store(isAccepted: true);

    private Task Store(bool isAccepted) => Guard(async () =>
    {
        await _writing.WaitAsync();
        try
        {
            if (!IsSaved)
            {
                var (next, first) = (Conversation!, _firstUnsaved);
                _stored = await store.Write(tenant, _stored, next, first, _owner, isAccepted);

                // A change may have come meanwhile.
                _firstUnsaved = ReferenceEquals(Conversation, next) ? AllSaved : _firstUnsaved;
            }
        }
        finally
        {
            _writing.Release();
        }
    });

    /// <summary>Replaces one turn.</summary>
    public Task WriteTurn(Turn turn)
    {
        var (next, at) = With(turn);
        return Write(next, at);
    }

    /// <summary>
    /// Makes a node the home, under an epoch of its own: the epoch rises with each change of home, and with the first
    /// use by this owner, which fences off the work of an earlier owner. It is stored before it is used.
    /// </summary>
    /// <param name="home">The node.</param>
    /// <param name="migration">The decision of a migration between turns; null otherwise.</param>
    /// <param name="begun">
    /// The turn that continues there in mid-answer. It is stored together with the new home, whose replay buffer is
    /// still empty.
    /// </param>
    public async Task<long> AcquireEpoch(string home, PlacementDecision? migration = null, Turn? begun = null)
    {
        if (!_hasEpoch || Conversation!.Home != home)
        {
            var (next, first) = begun is { Answer.IsEmpty: false } && Conversation!.Home != home
                ? With(begun)
                : (Conversation!, Conversation!.Turns.Count);
            next = next with
            {
                Home = home, Epoch = next.Epoch + 1, LastMigration = migration ?? next.LastMigration,
            };
            await Write(next, first);
            _hasEpoch = true;
        }

        return Conversation!.Epoch;
    }

    public async Task Delete()
    {
        await Guard(async () =>
        {
            // A write that is under way must not create it again.
            await _writing.WaitAsync();
            try
            {
                await store.Delete(tenant, id);
            }
            finally
            {
                _writing.Release();
            }
        });
        Conversation = null;
        _stored = null;
        _firstUnsaved = AllSaved;
        _hasEpoch = false;
    }

    public void Dispose() => _writing.Dispose();

    private (Conversation Next, int At) With(Turn turn)
    {
        var turns = Conversation!.Turns.ToList();
        var at = turns.FindIndex(t => t.Id == turn.Id);
        turns[at] = turn;
        return (Conversation with { Turns = turns }, at);
    }

    /// <returns>False if the store does not respond, so that nothing is known.</returns>
    private async Task<bool> CheckIsCurrent(CancellationToken cancellation) => await IsStale(cancellation) switch
    {
        true => throw new HerdException(
            HerdError.Conflict, $"Another gateway continued the conversation {id}. Try again."),
        var isStale => isStale is not null,
    };

    private async Task Guard(Func<Task> access)
    {
        try
        {
            await access();
        }
        catch (ConversationConflictException e)
        {
            throw new HerdException(HerdError.Conflict, $"{e.Message} Try again.");
        }
        catch (StoredBytesException e)
        {
            throw ConversationErrors.StoredBytes(e.Limit);
        }
        catch (InvalidDataException e)
        {
            throw new HerdException(HerdError.Internal, $"The conversation '{id}' cannot be read. {e.Message}");
        }
        catch (Exception e) when (IsAway(e))
        {
            throw new HerdException(
                HerdError.StoreUnavailable, "The store does not respond, so nothing can be stored. Try again later.");
        }
    }

    private static bool IsAway(Exception exception) => exception is RedisException or TimeoutException;
}
