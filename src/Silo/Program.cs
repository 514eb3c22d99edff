using Herd.Grains.Hosting;
using Herd.Grains.Hosting.Lifetime;
using Herd.Grains.Nodes;
using Herd.Silo;
using Microsoft.Extensions.Options;

// A node: one GPU (or this machine's CPU), the model loaded on it, and the KV caches of its sessions.
return await HerdProcess.Run(() =>
{
    var builder = WebApplication.CreateSlimBuilder(args);
    builder.AddHerdConsole();
    builder.Services.AddSingleton(services => Runtimes.Create(
        services.GetRequiredService<IOptions<NodeOptions>>().Value.Runtime,
        services.GetRequiredService<TimeProvider>(),
        services.GetRequiredService<ILoggerFactory>()));
    builder.AddHerdNode();
    builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenForLinks());

    var app = builder.Build();
    app.UseHerdNode();
    return app;
});
