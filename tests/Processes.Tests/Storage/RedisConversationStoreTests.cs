using Herd.Contracts.Conversations;
using Herd.Grains.Conversations.Storage;
using Herd.Testing;
using StackExchange.Redis;

namespace Herd.Processes.Tests.Storage;

public sealed class RedisConversationStoreTests(RedisServer server) : ConversationStoreTests<RedisServer>(server)
{
    /// <summary>
    /// With MinReplicas set, a write that only the primary holds is not acknowledged. With a replica it is.
    /// </summary>
    [Fact]
    public async Task Write_ReplicaIsAway_DoesNotCountUntilItIsThere()
    {
        await using var primary = await StoreProcess.StartRedis();
        await using var connection = new StoreConnection(ConfigurationOptions.Parse(primary.Address), replicas: 1);
        await connection.StartAsync(TestContext.Current.CancellationToken);
        var store = new RedisConversationStore(connection, TimeProvider.System);
        var conversation = new Conversation { Id = "c", Created = DateTimeOffset.UnixEpoch };
        var first = new StoredConversation(conversation, 0);

        await Assert.ThrowsAsync<TimeoutException>(() => store.Write("t", null, conversation, 0, "me"));
        await using var replica = await StoreProcess.StartRedis(replicaOf: primary.Port);
        StoredConversation? written = null;
        while (written is null)
        {
            written = await Try(() => store.Write("t", first, conversation, 0, "me"));
        }

        Assert.Equal(conversation, (await store.Read(
            "t", "c", TestContext.Current.CancellationToken))!.Conversation with { Turns = conversation.Turns });

        static async Task<StoredConversation?> Try(Func<Task<StoredConversation>> write)
        {
            try
            {
                return await write();
            }
            catch (TimeoutException)
            {
                return null;
            }
        }
    }
}
