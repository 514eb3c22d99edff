using Herd.Inference.Runtime;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Herd.Grains.Hosting;

/// <summary>Runs a process of the cluster; what keeps it from starting is told in one line.</summary>
public static class HerdProcess
{
    private const int CannotStart = 2;
    private static readonly TimeSpan ExpelledStopTime = TimeSpan.FromSeconds(3);

    /// <returns>The exit code.</returns>
    public static async Task<int> Run(Func<IHost> build)
    {
        try
        {
            while (await WasEvicted(build))
            {
                // Once more, as a new member.
            }

            return Environment.ExitCode;
        }
        catch (OperationCanceledException)
        {
            // It was told to stop, or found that it cannot serve, before it had started.
            return Environment.ExitCode;
        }
        catch (RedisConnectionException e)
        {
            await Console.Error.WriteLineAsync($"The store does not answer ({e.FailureType}); is it running, and is Cluster:Store right?");
            return CannotStart;
        }
        catch (Exception e) when (e is OptionsValidationException or ModelLoadException or IOException or InvalidDataException || IsUnreadable(e))
        {
            await Console.Error.WriteLineAsync(e.Message);
            return CannotStart;
        }
    }

    /// <summary>Whether a setting is not of its kind; the message names both.</summary>
    private static bool IsUnreadable(Exception exception) =>
        exception is InvalidOperationException { Source: "Microsoft.Extensions.Configuration.Binder" };

    /// <summary>Runs the process until it stops.</summary>
    /// <returns>Whether it stopped because the cluster had declared it dead.</returns>
    private static async Task<bool> WasEvicted(Func<IHost> build)
    {
        using var host = build();
        var expulsion = host.Services.GetRequiredService<Eviction>();
        await host.StartAsync();
        var stopping = new TaskCompletionSource();
        await using (host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(stopping.SetResult))
        {
            await stopping.Task;
        }

        // One that is no longer a member has nobody left to take leave of.
        using var patience = expulsion.WasEvicted ? new CancellationTokenSource(ExpelledStopTime) : new CancellationTokenSource();
        await host.StopAsync(patience.Token);
        return expulsion.WasEvicted;
    }
}
