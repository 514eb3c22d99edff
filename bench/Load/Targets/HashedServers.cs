using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Herd.Load.Targets;

/// <summary>Two llama-servers behind nginx, which routes by a consistent hash of the session's header.</summary>
internal sealed class HashedServers : HttpTarget
{
    private readonly List<LlamaServer> _servers;
    private readonly Process _nginx;
    private readonly DirectoryInfo _folder;

    private HashedServers(Uri address, List<LlamaServer> servers, Process nginx, DirectoryInfo folder)
        : base("nginx before 2 llama-servers", address, "peer")
    {
        _servers = servers;
        _nginx = nginx;
        _folder = folder;
    }

    /// <param name="program">The path of llama-server.</param>
    /// <param name="setup">The settings of each server.</param>
    public static async Task<HashedServers> Start(string program, Setup setup)
    {
        List<LlamaServer> servers = [await LlamaServer.Start(program, setup), await LlamaServer.Start(program, setup)];
        var port = LlamaServer.FreePort();
        var folder = Directory.CreateTempSubdirectory("herd-nginx-");
        var configuration = Path.Combine(folder.FullName, "nginx.conf");
        await File.WriteAllTextAsync(configuration, Configuration(folder.FullName, port, servers));
        string[] arguments = ["-p", folder.FullName, "-c", configuration, "-e", "stderr"];
        var nginx = Process.Start(new ProcessStartInfo("nginx", arguments) { RedirectStandardError = true })!;
        var said = nginx.StandardError.ReadToEndAsync();
        while (!await IsListening(port))
        {
            if (nginx.HasExited)
            {
                throw new InvalidOperationException($"nginx has ended: {await said}");
            }
        }

        return new HashedServers(new Uri($"http://127.0.0.1:{port}"), servers, nginx, folder);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _nginx.Kill(entireProcessTree: true);
        await _nginx.WaitForExitAsync();
        _nginx.Dispose();
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }

        _folder.Delete(recursive: true);
    }

    private static async Task<bool> IsListening(int port)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50));
            return false;
        }
    }

    private static string Configuration(string folder, int port, List<LlamaServer> servers) => string.Create(
        CultureInfo.InvariantCulture,
        $$"""
        daemon off;
        user root;
        worker_processes 1;
        pid {{folder}}/nginx.pid;
        events { worker_connections 1024; }
        http {
          access_log off;
          client_body_temp_path {{folder}}/body;
          proxy_temp_path {{folder}}/proxy;
          fastcgi_temp_path {{folder}}/fastcgi;
          uwsgi_temp_path {{folder}}/uwsgi;
          scgi_temp_path {{folder}}/scgi;
          upstream llama {
            hash $http_x_session_id consistent;
            {{string.Concat(servers.Select(server => $"server {server.Address.Authority};\n    "))}}
          }
          server {
            listen 127.0.0.1:{{port}};
            location / {
              proxy_pass http://llama;
              proxy_http_version 1.1;
              proxy_buffering off;
              proxy_read_timeout 600s;
            }
          }
        }
        """);
}
