using Herd.Contracts.Nodes;
using Herd.Grains.Hosting.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Metadata;
using Orleans.Serialization;

namespace Herd.Simulator.Faults;

/// <summary>The files that nodes read, and Orleans' serializer and names of interfaces. All runs share them.</summary>
internal sealed class Setup : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("herd-faults-");
    private readonly IHost _orleans = WithOrleans();

    public Setup()
    {
        File.WriteAllText(Model, "simulated");
        File.WriteAllText(Catalog, """{ "version": 1, "models": [] }""");
        File.WriteAllBytes(KeyFile, new byte[ClusterKey.MinBytes]);
        Key = new ClusterKey(KeyFile);
        Reports = _orleans.Services.GetRequiredService<Serializer<NodeReport>>();
        Interfaces = _orleans.Services.GetRequiredService<GrainInterfaceTypeResolver>();
    }

    public required ILoggerFactory Loggers { get; init; }

    public string Model => Path.Combine(_folder.FullName, "simulated.gguf");

    public string Catalog => Path.Combine(_folder.FullName, "catalog.json");

    public string KeyFile => Path.Combine(_folder.FullName, "key");

    public ClusterKey Key { get; }

    public Serializer<NodeReport> Reports { get; }

    public GrainInterfaceTypeResolver Interfaces { get; }

    public void Dispose()
    {
        _orleans.Dispose();
        _folder.Delete(recursive: true);
    }

    /// <summary>The host is never started. Only its services are used.</summary>
    private static IHost WithOrleans()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.UseOrleansClient(client => client.UseLocalhostClustering());
        return builder.Build();
    }
}
