using System.Net.Sockets;
using k8s.Models;

namespace Herd.Kubernetes.Tests.Pods;

/// <summary>A probe of a container, as a kubelet runs it.</summary>
internal sealed class Probe(V1Probe probe, string address, Func<string, int> port)
{
    private static readonly HttpClient Http = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.Zero });

    private TimeSpan Period => TimeSpan.FromSeconds(probe.PeriodSeconds ?? 10);

    /// <summary>
    /// Probes again and again. Reports a result that was the same as often in a row as the threshold says.
    /// </summary>
    public async Task Run(Action<bool> tell, CancellationToken end)
    {
        var (succeeded, failed) = (0, 0);
        while (!end.IsCancellationRequested)
        {
            (succeeded, failed) = await Ask(end) ? (succeeded + 1, 0) : (0, failed + 1);
            if (succeeded >= (probe.SuccessThreshold ?? 1))
            {
                tell(true);
            }
            else if (failed >= (probe.FailureThreshold ?? 3))
            {
                tell(false);
            }

            await Task.Delay(Period, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<bool> Ask(CancellationToken end)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(end);
        timeout.CancelAfter(TimeSpan.FromSeconds(probe.TimeoutSeconds ?? 1));
        try
        {
            if (probe.TcpSocket is { } socket)
            {
                using var client = new TcpClient();
                await client.ConnectAsync(address, port(socket.Port.Value), timeout.Token);
                return true;
            }

            using var reply = await Http.GetAsync(
                new Uri($"http://{address}:{port(probe.HttpGet.Port.Value)}{probe.HttpGet.Path}"), timeout.Token);
            return reply.IsSuccessStatusCode;
        }
        catch (Exception e)
            when (e is HttpRequestException or SocketException or OperationCanceledException or IOException)
        {
            return false;
        }
    }
}
