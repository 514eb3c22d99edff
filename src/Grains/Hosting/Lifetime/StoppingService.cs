using Microsoft.Extensions.Hosting;

namespace Herd.Grains.Hosting.Lifetime;

/// <summary>
/// A service that does its work while the process stops, before any other service of the process is stopped.
/// </summary>
public abstract class StoppingService : IHostedLifecycleService
{
    /// <summary>The work. The host waits for it.</summary>
    public abstract Task StoppingAsync(CancellationToken cancellationToken);

    Task IHostedLifecycleService.StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedService.StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedService.StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
