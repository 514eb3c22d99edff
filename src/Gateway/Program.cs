using Herd.Gateway.Hosting;
using Herd.Grains.Hosting;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

// A gateway: gRPC and HTTP on one side, a silo of the cluster on the other.
try
{
    var builder = WebApplication.CreateSlimBuilder(args);
    builder.Logging.AddHerdConsole();
    builder.AddHerdGateway();
    builder.AddGateway();

    await using var app = builder.Build();
    app.UseGateway();
    await app.RunAsync();
    return 0;
}
catch (Exception e) when (e is OptionsValidationException or AddressInUseException || e.InnerException is AddressInUseException)
{
    await Console.Error.WriteLineAsync(e.Message);
    return 2;
}
