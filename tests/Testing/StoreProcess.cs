using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Herd.Testing;

/// <summary>A store in a process of its own: the embedded Garnet, or Debian's redis-server.</summary>
public sealed class StoreProcess : IAsyncDisposable
{
    private readonly DirectoryInfo _data;
    private readonly ProcessStartInfo _info;
    private Process? _process;

    private StoreProcess(Func<StoreProcess, ProcessStartInfo> describe, string? data)
    {
        _data = data is null ? Directory.CreateTempSubdirectory("herd-store-") : new DirectoryInfo(data);
        _info = describe(this);
        _info.RedirectStandardOutput = true;
    }

    public int Port { get; } = Ports.Free();

    /// <summary>The folder of its data.</summary>
    public string Data => _data.FullName;

    public string Address => $"127.0.0.1:{Port}";

    /// <param name="data">The folder of its data; null for one of its own.</param>
    public static Task<StoreProcess> StartGarnet(string? data = null) => Start(
        store => new ProcessStartInfo(
            Path.Combine(Repository.Root, "artifacts", "bin", "Store", Repository.Configuration, "Herd.Store"),
            ["--port", store.PortText, "--data", store._data.FullName]),
        data);

    /// <summary>Needs Debian's package redis-server, which ./test installs.</summary>
    /// <param name="replicaOf">The port of its primary; null for a primary.</param>
    public static Task<StoreProcess> StartRedis(int? replicaOf = null) => Start(store => new ProcessStartInfo(
        "redis-server",
        [
            "--port", store.PortText, "--bind", "127.0.0.1", "--dir", store._data.FullName, "--appendonly", "yes",
            .. replicaOf is { } port ? new[]
            {
                "--replicaof",
                $"127.0.0.1 {port.ToString(CultureInfo.InvariantCulture)}",
                "--repl-diskless-sync-delay",
                "0",
            } : [],
        ]));

    /// <summary>kill -9.</summary>
    public async Task Kill()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Starts the store again with the data of the killed one.</summary>
    public async Task Restart()
    {
        _process?.Dispose();
        _process = Process.Start(_info)!;

        // Both report when they are ready. Later output is read too, so that they never block on a full pipe.
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.Contains("Ready to accept connections", StringComparison.Ordinal))
            {
                _ = _process.StandardOutput.ReadToEndAsync();
                return;
            }
        }

        throw new InvalidOperationException($"{_info.FileName} has ended with {_process.ExitCode}.");
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process?.Dispose();
        await Delete();
    }

    /// <summary>A child process that rewrites a file for a replica may end late and leave one more file.</summary>
    private async Task Delete()
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                _data.Delete(recursive: true);
                return;
            }
            catch (IOException) when (attempt < 20)
            {
                await Task.Delay(100);
            }
        }
    }

    /// <summary>The operating system's id of the process.</summary>
    public int Pid => _process!.Id;

    private string PortText => Port.ToString(CultureInfo.InvariantCulture);

    private static async Task<StoreProcess> Start(Func<StoreProcess, ProcessStartInfo> describe, string? data = null)
    {
        var store = new StoreProcess(describe, data);
        await store.Restart();
        return store;
    }
}

/// <summary>Ports of this machine.</summary>
public static class Ports
{
    /// <summary>A free port, outside the range of outgoing connections and the ports of 'herd up'.</summary>
    public static int Free()
    {
        while (true)
        {
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, Random.Shared.Next(10_000, 20_000));
                listener.Start();
                return ((IPEndPoint)listener.LocalEndpoint).Port;
            }
            catch (SocketException)
            {
                // The port is in use. Try the next one.
            }
        }
    }

    /// <summary>A free port P where P + 2, the port of a second gateway, is free too.</summary>
    public static int FreeWithSecond()
    {
        while (true)
        {
            var port = Free();
            try
            {
                using var second = new TcpListener(IPAddress.Loopback, port + 2);
                second.Start();
                return port;
            }
            catch (SocketException)
            {
                // The port is in use. Try the next one.
            }
        }
    }
}
