using Herd.Grains.Hosting;
using Herd.Inference.Runtime;
using Herd.LlamaCpp;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

// A node: one GPU (or this machine's CPU), the model loaded on it, and the KV caches of its sessions.
return await HerdProcess.Run(() =>
{
    var builder = Host.CreateApplicationBuilder(args);
    builder.Logging.AddHerdConsole();
    builder.Services.AddSingleton<ILlamaRuntime>(services =>
        new LlamaCppRuntime(services.GetRequiredService<ILogger<LlamaCppRuntime>>()));
    builder.AddHerdNode();
    return builder.Build();
});
