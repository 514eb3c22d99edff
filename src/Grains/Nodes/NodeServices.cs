using Herd.Grains.Conversations.Deletions;
using Herd.Grains.Hosting.Configuration;
using Herd.Grains.Hosting.Lifetime;
using Herd.Grains.Nodes.Deletions;
using Herd.Grains.Nodes.Drain;
using Herd.Grains.Nodes.Sessions;
using Herd.Inference.Generation;
using Herd.Inference.Models.Probing;
using Herd.Inference.Runtime;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Nodes;

internal static class NodeServices
{
    /// <summary>The model and its engine.</summary>
    public static IServiceCollection AddModelHost(this IServiceCollection services)
    {
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<NodeOptions>, GracePeriodValidator>());
        return services
            .AddValidated<NodeOptions, NodeOptionsValidator>(NodeOptions.Section)
            .AddSingleton<IEngineRunner, EngineThread>()
            .AddSingleton<WarmUp>()
            .AddSingleton(provider => new ModelProbe(
                provider.GetRequiredService<ILlamaRuntime>(),
                new PassedModels(PassedModelsFile(provider.GetRequiredService<IOptions<NodeOptions>>().Value)),
                provider.GetService<ProbeCommand>()))
            .AddHosted(provider => ActivatorUtilities.CreateInstance<NodeHost>(
                provider,
                (Func<LoadedModel, string, CancellationToken, Task>)provider.GetRequiredService<WarmUp>().Run));
    }

    /// <summary>The services that the grains of a node use, and its drain.</summary>
    public static IServiceCollection AddSessions(this IServiceCollection services) => services
        .AddSingleton<SessionPull>()
        .AddSingleton<ReplayBuffers>()
        .AddSingleton<IDeletionLog, RedisDeletionLog>()
        .AddHosted<DeletionFollower>()
        .AddSingleton<NodeInspection>()
        .AddHosted<NodeDrain>()
        .AddSingleton<NodeModels>()
        .AddSingleton(provider => ActivatorUtilities.CreateInstance<ModelSwitch>(
            provider, (Func<string, Task>)provider.GetRequiredService<NodeDrain>().Switch))
        .AddSingleton(provider => new NodeRetirement(
            provider.GetRequiredService<NodeHost>(),
            provider.GetRequiredService<NodeDrain>().Empty,
            provider.GetRequiredService<TimeProvider>()));

    private static string PassedModelsFile(NodeOptions options) =>
        options.KvDirectory.Length > 0 ? Path.Combine(Path.GetFullPath(options.KvDirectory), "passed-models") : "";
}
