using Herd.Grains.Hosting;
using Herd.Grains.Nodes;
using Herd.Silo;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

// A node: one GPU (or this machine's CPU), the model loaded on it, and the KV caches of its sessions.
return await HerdProcess.Run(() =>
{
    var builder = Host.CreateApplicationBuilder(args);
    builder.Logging.AddHerdConsole();
    builder.Services.AddSingleton(services => Runtimes.Create(
        services.GetRequiredService<IOptions<NodeOptions>>().Value.Runtime,
        services.GetRequiredService<TimeProvider>(),
        services.GetRequiredService<ILoggerFactory>()));
    builder.AddHerdNode();
    return builder.Build();
});
