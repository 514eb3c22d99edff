using Herd.Grains.Conversations.Deletions;
using Herd.Grains.Conversations.Failover;
using Herd.Grains.Conversations.Failover.Poison;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Conversations.Storage.Backup;
using Herd.Grains.Conversations.Storage.Encryption;
using Herd.Grains.Conversations.Turns;
using Herd.Grains.Conversations.Turns.Attempts;
using Herd.Grains.Conversations.Turns.Events;
using Herd.Grains.Hosting;
using Herd.Grains.Hosting.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Herd.Grains.Conversations;

internal static class ConversationServices
{
    public static IServiceCollection AddConversations(this IServiceCollection services) => services
        .AddSingleton(provider => StorageKeys.Read(provider.Cluster().StorageKeysFile))
        .AddHosted<KeyRotation>()
        .AddSingleton<RedisConversationStore>()
        .AddSingleton<IConversationStore>(provider => provider.GetRequiredService<RedisConversationStore>())
        .AddSingleton<IByteLimits>(provider => provider.GetRequiredService<RedisConversationStore>())
        .AddSingleton<StoreBackup>()
        .AddSingleton(provider => new StoreRestore(
            provider.GetRequiredService<StoreConnection>(),
            provider.GetRequiredService<RedisConversationStore>()))
        .AddSingleton<IRetentionIndex, RedisRetentionIndex>()
        .AddSingleton<TurnRouter>()
        .AddSingleton<LocalEventChannels>()
        .AddSingleton<TurnEventReader>()
        .AddSingleton<SessionClient>()
        .AddSingleton<FailoverMonitor>()
        .AddSingleton<TurnAttempt>()
        .AddSingleton<FailedAttempts>()
        .AddPoisonTurns()
        .AddSingleton<TurnExecutor>()
        .AddSingleton<SessionMigration>()
        .AddHosted<StoreErasure>()
        .AddHosted<GatewayDrain>();

    private static IServiceCollection AddPoisonTurns(this IServiceCollection services) => services
        .AddValidated<PoisonOptions, PoisonOptionsValidator>(PoisonOptions.Section)
        .AddSingleton<IPoisonStore, RedisPoisonStore>()
        .AddSingleton<PoisonRegister>()
        .AddSingleton<ContentDigest>()
        .AddSingleton<PoisonTurns>();
}
