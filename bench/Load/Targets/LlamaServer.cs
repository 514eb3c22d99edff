using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Herd.Load.Targets;

/// <summary>A llama-server that is started for one run.</summary>
internal sealed class LlamaServer : HttpTarget
{
    private readonly Process _process;

    private LlamaServer(string name, Uri address, Process process)
        : base(name, address, "peer") => _process = process;

    public static async Task<LlamaServer> Start(string program, Setup setup)
    {
        var port = FreePort();
        string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
        var process = Process.Start(new ProcessStartInfo(
            program,
            [
                "-m", setup.Model, "-c", Text(setup.Cells), "-np", Text(setup.Slots), "-t", Text(setup.Threads),
                "-tb", Text(setup.Threads), "--host", "127.0.0.1", "--port", Text(port), "--no-kv-unified",
                "--log-disable", "--no-webui",
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _ = process.StandardOutput.ReadToEndAsync();
        _ = process.StandardError.ReadToEndAsync();
        var server = new LlamaServer(
            $"llama-server -np {setup.Slots}", new Uri($"http://127.0.0.1:{port}"), process);
        await server.Ready();
        return server;
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task Ready()
    {
        for (var started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started) < TimeSpan.FromMinutes(1);)
        {
            try
            {
                using var health = await Client.GetAsync("/health");
                if (health.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // The server does not listen yet.
            }

            await Task.Delay(100);
        }

        throw new InvalidOperationException($"{Name} was not ready within a minute (ended: {_process.HasExited}).");
    }
}
