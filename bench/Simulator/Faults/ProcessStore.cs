using Herd.Contracts.Conversations;
using Herd.Grains.Conversations.Storage;

namespace Herd.Simulator.Faults;

/// <summary>The store of one process. Calls wait for ever when the process is gone.</summary>
internal sealed class ProcessStore(FaultyStore store, SimulatedProcess process) : IConversationStore
{
    public async Task<StoredConversation?> Read(string tenant, string id, CancellationToken cancellation)
    {
        await process.Alive();
        return await store.Read(tenant, id, cancellation);
    }

    public async Task<LastWrite?> ReadLastWrite(string tenant, string id, CancellationToken cancellation)
    {
        await process.Alive();
        return await store.ReadLastWrite(tenant, id, cancellation);
    }

    public async Task<StoredConversation> Write(
        string tenant,
        StoredConversation? expected,
        Conversation conversation,
        int firstTurn,
        string owner,
        bool isAccepted = false)
    {
        await process.Alive();
        return await store.Write(tenant, expected, conversation, firstTurn, owner, isAccepted);
    }

    public Task<bool> TryReserve(string tenant, string id, int limit) => store.TryReserve(tenant, id, limit);

    public Task Delete(string tenant, string id) => store.Delete(tenant, id);

    public Task<ConversationPage> List(string tenant, int size, string? after) => store.List(tenant, size, after);
}
