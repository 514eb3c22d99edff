using Herd.Grains.Hosting;
using Herd.Grains.Hosting.Lifetime;
using Herd.Grains.Nodes;
using Herd.Inference.Models.Probing;
using Herd.Silo;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

const string Probe = "probe-model";

// A child process of a node, which opens a model's file before the node does.
if (args is [Probe, var runtime, var file])
{
    return ProbeChild.Run(file, () => Runtimes.Create(runtime, TimeProvider.System, NullLoggerFactory.Instance));
}

// A node: one GPU (or this machine's CPU), the model loaded on it, and the KV caches of its sessions.
return await HerdProcess.Run(() =>
{
    var builder = WebApplication.CreateSlimBuilder(args);
    builder.AddHerdConsole();
    builder.Services.AddSingleton(services => Runtimes.Create(
        services.GetRequiredService<IOptions<NodeOptions>>().Value.Runtime,
        services.GetRequiredService<TimeProvider>(),
        services.GetRequiredService<ILoggerFactory>()));
    builder.Services.AddSingleton(services =>
        ProbeCommand.Self(Probe, services.GetRequiredService<IOptions<NodeOptions>>().Value.Runtime));
    builder.AddHerdNode();
    builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenForLinks());

    var app = builder.Build();
    app.UseHerdNode();
    return app;
});
