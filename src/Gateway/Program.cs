using Herd.Gateway.Hosting;
using Herd.Grains.Hosting;
using Herd.Grains.Hosting.Lifetime;

// A gateway: gRPC and HTTP on one side, a silo of the cluster on the other.
return await HerdProcess.Run(() =>
{
    var builder = WebApplication.CreateSlimBuilder(args);
    builder.AddHerdConsole();
    builder.AddHerdGateway();
    builder.AddGateway();

    var app = builder.Build();
    app.UseGateway();
    app.MapGateway();
    return app;
});
