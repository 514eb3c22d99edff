using Herd.Contracts.Errors;
using Microsoft.Extensions.Options;

namespace Herd.Gateway.Hosting;

/// <summary>Refuses a request at a port where its endpoint is not available.</summary>
internal sealed class PortRules(RequestDelegate next, IOptions<GatewayOptions> options)
{
    public Task Invoke(HttpContext context)
    {
        var requested = options.Value.PortsOf(context);
        var available = context.GetEndpoint()?.Metadata.GetMetadata<AvailableAt>()?.Ports ?? Ports.Public;
        return (requested & available) != 0
            ? next(context)
            : throw new HerdException(HerdError.Forbidden, Explain(requested, available));
    }

    private static string Explain(Ports requested, Ports available) => (requested, available) switch
    {
        (Ports.Scaler, _) => "This port is for KEDA's scaler only (Gateway:ScalerPort). Use another port.",
        (_, Ports.Scaler) => "KEDA's scaler is available at its own port only (Gateway:ScalerPort).",
        (Ports.Operators, _) => "This port is for operators only (Gateway:AdminPort). Use another port of the gateway.",
        _ => "This call is for operators. Send it to their port (Gateway:AdminPort).",
    };
}
