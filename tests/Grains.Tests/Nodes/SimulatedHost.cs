using Herd.Contracts.Nodes;
using Herd.Grains.Hosting.Configuration;
using Herd.Grains.Nodes;
using Herd.Inference.Generation;
using Herd.Inference.Models.Probing;
using Herd.Inference.Runtime;
using Herd.Inference.Simulated;
using Herd.Testing;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Tests.Nodes;

/// <summary>A node's host with a model on the simulated runtime.</summary>
internal sealed class SimulatedHost : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("herd-host-");

    /// <param name="warmUp">Warms the model up; nothing by default.</param>
    /// <param name="isStarted">False for a process whose ports do not listen yet.</param>
    public SimulatedHost(Func<Task>? warmUp = null, bool isStarted = true)
    {
        if (isStarted)
        {
            Lifetime.NotifyStarted();
        }

        Node = Options.Create(new NodeOptions
        {
            Model = TinyModel.Write(Path.Combine(_folder.FullName, "tiny.gguf")),
            Catalog = Path.Combine(Repository.Root, "models", "catalog.json"),
        });
        Host = new NodeHost(
            Runtime,
            Node,
            Cluster,
            Probe,
            new EngineThread(),
            (_, _, _) => warmUp?.Invoke() ?? Task.CompletedTask,
            TimeProvider.System,
            NullLoggerFactory.Instance,
            Lifetime);
    }

    public static ILlamaRuntime Runtime { get; } =
        new SimulatedRuntime(new SimulatedTimings(), TimeProvider.System);

    /// <summary>No native code opens a file of a simulated runtime, so nothing is probed.</summary>
    public static ModelProbe Probe { get; } = new(Runtime, new PassedModels(""), command: null);

    public NodeHost Host { get; }

    public IOptions<NodeOptions> Node { get; }

    public IOptions<ClusterOptions> Cluster { get; } = Options.Create(new ClusterOptions { Name = "node-1" });

    public ApplicationLifetime Lifetime { get; } = new(NullLogger<ApplicationLifetime>.Instance);

    /// <summary>Starts it.</summary>
    public async Task Start()
    {
        await Host.StartAsync(TestContext.Current.CancellationToken);
        await Until(report => report.State == NodeState.Ready);
    }

    /// <summary>Waits until it reports so.</summary>
    public async Task Until(Func<NodeReport, bool> isSo)
    {
        for (var changed = Host.Changed; !isSo(Host.Report()); changed = Host.Changed)
        {
            await changed.WaitAsync(TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Host.StopAsync(CancellationToken.None);
        Host.Dispose();
        _folder.Delete(recursive: true);
    }
}
