using Herd.Grains.Hosting;
using Herd.Inference.Runtime;
using Herd.LlamaCpp;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

// A node: one GPU (or this machine's CPU), the model loaded on it, and the KV caches of its sessions.
var builder = Host.CreateApplicationBuilder(args);
builder.Logging.AddHerdConsole();
builder.Services.AddSingleton<ILlamaRuntime>(services =>
    new LlamaCppRuntime(services.GetRequiredService<ILogger<LlamaCppRuntime>>()));
builder.AddHerdNode();

try
{
    await builder.Build().RunAsync();
    return Environment.ExitCode;
}
catch (OperationCanceledException)
{
    // It was told to stop, or found that it cannot serve, before it had started.
    return Environment.ExitCode;
}
catch (Exception e) when (e is OptionsValidationException or ModelLoadException)
{
    await Console.Error.WriteLineAsync(e.Message);
    return 2;
}
