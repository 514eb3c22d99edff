using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Placements;
using StackExchange.Redis;

namespace Herd.Grains.Conversations.Storage;

/// <summary>
/// A conversation in memory and in the store, kept the same: what is changed here is stored before it is used. While the store
/// is away a conversation that is in memory goes on; what is written then waits, and lands when <see cref="Flush"/> finds the
/// store again. A write that finds another owner's makes the transcript useless; its grain then gives up and is made anew.
/// </summary>
internal sealed class Transcript(IConversationStore store, string tenant, string id) : IDisposable
{
    private const int Nothing = int.MaxValue;

    private readonly string _owner = Guid.NewGuid().ToString("N");
    private readonly SemaphoreSlim _writing = new(1);
    private StoredConversation? _stored;
    private int _firstUnsaved = Nothing;
    private bool _hasEpoch;

    public string Tenant => tenant;

    public string Id => id;

    /// <summary>Null when there is no such conversation.</summary>
    public Conversation? Conversation { get; private set; }

    /// <summary>Whether all of it is in the store.</summary>
    public bool IsSaved => _firstUnsaved == Nothing;

    public Task Load(CancellationToken cancellation) => Guard(async () =>
    {
        _stored = await store.Read(tenant, id, cancellation);
        Conversation = _stored?.Conversation;
    });

    /// <summary>Whether another owner has written since, so that what is in memory is old; null while the store is away and nobody can tell.</summary>
    public async Task<bool?> IsStale(CancellationToken cancellation)
    {
        await _writing.WaitAsync(cancellation);
        try
        {
            var last = await store.ReadLastWrite(tenant, id, cancellation);

            // Of a write of its own that is to be repeated it could not be told whether it landed.
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

    /// <summary>Replaces the turns from one on.</summary>
    /// <exception cref="HerdException">It was never stored and cannot be, or somebody else owns it.</exception>
    public async Task Write(Conversation next, int firstTurn)
    {
        var before = (Conversation, _firstUnsaved);
        Conversation = next;
        _firstUnsaved = Math.Min(_firstUnsaved, firstTurn);
        try
        {
            await Flush();
        }
        catch (HerdException e) when (e.Error == HerdError.StoreUnavailable && _stored is not null)
        {
            // It is in memory, and lands later.
        }
        catch
        {
            (Conversation, _firstUnsaved) = before;
            throw;
        }
    }

    /// <summary>Stores what is not stored yet.</summary>
    /// <exception cref="HerdException">The store does not answer, or somebody else owns the conversation.</exception>
    public Task Flush() => Guard(async () =>
    {
        await _writing.WaitAsync();
        try
        {
            if (!IsSaved)
            {
                var (next, first) = (Conversation!, _firstUnsaved);
                _stored = await store.Write(tenant, _stored, next, first, _owner);

                // Something may have been added meanwhile.
                _firstUnsaved = ReferenceEquals(Conversation, next) ? Nothing : _firstUnsaved;
            }
        }
        finally
        {
            _writing.Release();
        }
    });

    /// <summary>Changes one turn that is there already.</summary>
    public Task WriteTurn(Turn turn)
    {
        var (next, at) = With(turn);
        return Write(next, at);
    }

    /// <summary>
    /// Makes sure that the conversation lives on a node under an epoch nobody else uses: the epoch rises when the home
    /// changes, and with the first use by this owner, so that work an earlier owner left behind is fenced off.
    /// </summary>
    /// <param name="home">The node.</param>
    /// <param name="moved">The decision, when it is moved between turns.</param>
    /// <param name="begun">
    /// The turn that is moved in mid-answer: stored with the new home, which knows nothing of it yet, while nobody asks the old one any more.
    /// </param>
    public async Task<long> AcquireEpoch(string home, PlacementDecision? moved = null, Turn? begun = null)
    {
        if (!_hasEpoch || Conversation!.Home != home)
        {
            var (next, first) = begun is { Answer.IsEmpty: false } && Conversation!.Home != home ? With(begun) : (Conversation!, Conversation!.Turns.Count);
            next = next with
            {
                Home = home, Epoch = next.Epoch + 1, Moved = moved ?? next.Moved,
            };
            await Write(next, first);
            _hasEpoch = true;
        }

        return Conversation!.Epoch;
    }

    public async Task Delete()
    {
        await Guard(() => store.Delete(tenant, id));
        Conversation = null;
        _stored = null;
        _firstUnsaved = Nothing;
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

    private static async Task Guard(Func<Task> access)
    {
        try
        {
            await access();
        }
        catch (ConversationConflictException e)
        {
            throw new HerdException(HerdError.Conflict, $"{e.Message} Try again.");
        }
        catch (InvalidDataException e)
        {
            throw new HerdException(HerdError.Internal, e.Message);
        }
        catch (Exception e) when (IsAway(e))
        {
            throw new HerdException(
                HerdError.StoreUnavailable, "The store does not answer, so nothing can be made durable. Try again later.");
        }
    }

    private static bool IsAway(Exception exception) => exception is RedisException or TimeoutException;
}
