using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Grains.Conversations.Storage;
using StackExchange.Redis;

namespace Herd.Grains.Conversations;

/// <summary>
/// A conversation in memory and in the store, kept the same: what is changed here is stored before it is used. A write
/// that finds another owner's makes the transcript useless; its grain then gives up and is made anew.
/// </summary>
internal sealed class Transcript(IConversationStore store, string tenant, string id)
{
    private StoredConversation? _stored;
    private bool _settled;

    public string Tenant => tenant;

    public string Id => id;

    /// <summary>Null when there is no such conversation.</summary>
    public Conversation? Conversation => _stored?.Conversation;

    public Task Load(CancellationToken cancellation) => Guard(async () => _stored = await store.Read(tenant, id, cancellation));

    /// <summary>Replaces the turns from one on.</summary>
    public Task Write(Conversation next, int firstTurn, ConversationKind kind) =>
        Guard(async () => _stored = await store.Write(tenant, _stored, next, firstTurn, kind));

    /// <summary>Changes one turn that is there already.</summary>
    public Task WriteTurn(Turn turn, ConversationKind kind)
    {
        var turns = Conversation!.Turns.ToList();
        var at = turns.FindIndex(t => t.Id == turn.Id);
        turns[at] = turn;
        return Write(Conversation with { Turns = turns }, at, kind);
    }

    /// <summary>
    /// Makes sure that the conversation lives on a node under an epoch nobody else uses: the epoch rises when the home
    /// changes, and with the first use by this owner, so that work an earlier owner left behind is fenced off.
    /// </summary>
    public async Task<long> Settle(string home, ConversationKind kind)
    {
        if (!_settled || Conversation!.Home != home)
        {
            var next = Conversation! with { Home = home, Epoch = Conversation.Epoch + 1 };
            await Write(next, next.Turns.Count, kind);
            _settled = true;
        }

        return Conversation!.Epoch;
    }

    public async Task Delete()
    {
        await Guard(() => store.Delete(tenant, id));
        _stored = null;
        _settled = false;
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
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            throw new HerdException(
                HerdError.StoreUnavailable, "The store does not answer, so nothing can be made durable. Try again later.");
        }
    }
}
