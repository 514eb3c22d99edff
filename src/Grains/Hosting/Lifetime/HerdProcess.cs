using Herd.Inference.Files;
using Herd.Inference.Runtime;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Runtime.MembershipService;
using StackExchange.Redis;

namespace Herd.Grains.Hosting.Lifetime;

/// <summary>Runs a process of the cluster. An error at start is one line on standard error.</summary>
public static class HerdProcess
{
    private const int CannotStart = 2;
    private static readonly TimeSpan EvictedStopTime = TimeSpan.FromSeconds(3);

    /// <returns>The exit code.</returns>
    public static async Task<int> Run(Func<IHost> build)
    {
        PrivateFile.MakeNewFilesPrivate();
        try
        {
            await Task.Delay(FreshStart.Pause());
            while (await WasEvicted(build))
            {
                // The process starts again as a new member.
            }

            return Environment.ExitCode;
        }
        catch (OperationCanceledException)
        {
            // The process was stopped, or could not serve, before it had started.
            return Environment.ExitCode;
        }
        catch (RedisConnectionException e)
        {
            await Console.Error.WriteLineAsync(e.FailureType == ConnectionFailureType.AuthenticationFailure
                ? "The store refuses this process's password. Check Cluster:StorePasswordFile and Cluster:StoreUser."
                : $"The store does not respond ({e.FailureType}). Is it running, and is Cluster:Store right?");
            return CannotStart;
        }
        catch (Exception e) when (
            e is OptionsValidationException or ModelLoadException or IOException or InvalidDataException
            || IsUnreadable(e))
        {
            await Console.Error.WriteLineAsync(e.Message);
            return CannotStart;
        }
    }

    /// <summary>True if a setting has the wrong type. The message names the setting and the type.</summary>
    private static bool IsUnreadable(Exception exception) =>
        exception is InvalidOperationException { Source: "Microsoft.Extensions.Configuration.Binder" };

    /// <summary>Runs the process until it stops.</summary>
    /// <returns>True if it stopped because the cluster had declared it dead.</returns>
    private static async Task<bool> WasEvicted(Func<IHost> build)
    {
        using var host = build();
        var eviction = host.Services.GetRequiredService<Eviction>();
        await Join(host, eviction);
        var stopping = new TaskCompletionSource();
        var lifetime = host.Services.GetRequiredService<IHostApplicationLifetime>();
        await using (lifetime.ApplicationStopping.Register(stopping.SetResult))
        {
            await stopping.Task;
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(
            host.Services.GetRequiredService<Departure>().Limit);
        if (eviction.WasEvicted)
        {
            // A process that is no longer a member has nothing to drain.
            limit.CancelAfter(EvictedStopTime);
        }

        await host.StopAsync(limit.Token);
        return eviction.WasEvicted;
    }

    /// <summary>
    /// Starts the host. A process that could not join, because it was declared dead meanwhile or could not reach every
    /// active member, tries again.
    /// </summary>
    private static async Task Join(IHost host, Eviction eviction)
    {
        try
        {
            await host.StartAsync();
            FreshStart.Joined();
        }
        catch (Exception e) when (eviction.WasEvicted || e is OrleansClusterConnectivityCheckFailedException)
        {
            // Writes the lines of the log that wait.
            host.Services.GetRequiredService<ILoggerFactory>().Dispose();
            FreshStart.Begin();
            throw;
        }
    }
}
