namespace Herd.Gateway.Hosting;

/// <summary>The purposes of a gateway's ports.</summary>
[Flags]
internal enum Ports
{
    /// <summary>Gateway:HttpPort and Gateway:GrpcPort.</summary>
    Public = 1,

    /// <summary>Gateway:AdminPort; the public ports if it is 0.</summary>
    Operators = 2,

    /// <summary>Gateway:ScalerPort.</summary>
    Scaler = 4,
}

/// <summary>
/// Metadata of an endpoint: the ports at which it is available. Endpoints without it are at the public ports.
/// </summary>
internal sealed record AvailableAt(Ports Ports);

internal static class GatewayPorts
{
    /// <summary>The purposes of the port of a request's connection. Headers of the request do not matter.</summary>
    public static Ports PortsOf(this GatewayOptions options, HttpContext context) => context.Connection.LocalPort switch
    {
        var port when options.ScalerPort > 0 && port == options.ScalerPort => Ports.Scaler,
        var port when options.AdminPort > 0 && port == options.AdminPort => Ports.Operators,
        _ => options.AdminPort > 0 ? Ports.Public : Ports.Public | Ports.Operators,
    };

    public static TBuilder At<TBuilder>(this TBuilder endpoints, Ports ports)
        where TBuilder : IEndpointConventionBuilder => endpoints.WithMetadata(new AvailableAt(ports));
}
