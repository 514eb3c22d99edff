using System.Net;
using Herd.Grains.Hosting;
using Microsoft.Extensions.Options;

namespace Herd.Gateway.Hosting;

/// <summary>What a gateway listens on and lets in. Section "Gateway".</summary>
public sealed class GatewayOptions
{
    public const string Section = "Gateway";

    /// <summary>The address to listen on. Default 127.0.0.1: this machine only; another one needs keys (<see cref="Tenants"/>).</summary>
    public string Bind { get; set; } = "127.0.0.1";

    /// <summary>The port of the OpenAI API and of health, 1 to 65535. Default 8080.</summary>
    public int HttpPort { get; set; } = 8080;

    /// <summary>The port of gRPC, without TLS, 1 to 65535. Default 8081.</summary>
    public int GrpcPort { get; set; } = 8081;

    /// <summary>Largest body of a request, bytes, 1 KiB to 256 MiB. Default 4 MiB.</summary>
    public int MaxBodyBytes { get; set; } = 4 << 20;

    /// <summary>
    /// Tenants by name, each with the SHA-256 of its API key in hexadecimal. Empty: no key is asked for and everybody is
    /// the tenant "default". Default empty.
    /// </summary>
    public Dictionary<string, string> Tenants { get; set; } = [];

    /// <summary>The tenants that may drain nodes. Where no key is asked for, everybody may. Default none.</summary>
    public IList<string> Operators { get; set; } = [];

    /// <summary>
    /// Where a stateless request says which session it belongs to, in order of preference: "body:" or "header:" and a
    /// name. What comes last, always, is the beginning of its messages.
    /// </summary>
    public IList<string> SessionIdentity { get; set; } = [];

    internal static readonly string[] DefaultSessionIdentity =
    [
        "body:conversation",
        "body:previous_response_id",
        "body:prompt_cache_key",
        "body:metadata.user_id",
        "header:X-Session-Id",
        "header:Session_id",
        "header:X-Client-Request-Id",
    ];
}

internal sealed class GatewayOptionsValidator : IValidateOptions<GatewayOptions>
{
    public ValidateOptionsResult Validate(string? name, GatewayOptions options)
    {
        var errors = new OptionErrors();
        var isAddress = IPAddress.TryParse(options.Bind, out var address);
        errors.Require(isAddress, $"Gateway:Bind '{options.Bind}' is not an IP address.");
        errors.Require(
            !isAddress || IPAddress.IsLoopback(address!) || options.Tenants.Count > 0,
            $"Gateway:Bind {options.Bind} is reached from other machines, and no key is asked for. Give keys in Gateway:Tenants, or listen on 127.0.0.1.");
        errors.Require(options.HttpPort is >= 1 and <= 65535, $"Gateway:HttpPort {options.HttpPort} is not from 1 to 65535.");
        errors.Require(options.GrpcPort is >= 1 and <= 65535, $"Gateway:GrpcPort {options.GrpcPort} is not from 1 to 65535.");
        errors.Require(options.HttpPort != options.GrpcPort, $"Gateway:HttpPort and Gateway:GrpcPort are both {options.HttpPort}.");
        errors.Require(
            options.MaxBodyBytes is >= 1 << 10 and <= 256 << 20,
            $"Gateway:MaxBodyBytes {options.MaxBodyBytes} is not from 1 KiB to 256 MiB.");
        foreach (var (tenant, hash) in options.Tenants)
        {
            errors.Require(
                hash.Length == 64 && hash.All(char.IsAsciiHexDigit),
                $"Gateway:Tenants:{tenant} is not the SHA-256 of a key, 64 hexadecimal digits.");
        }

        foreach (var tenant in options.Operators)
        {
            errors.Require(options.Tenants.ContainsKey(tenant), $"Gateway:Operators names '{tenant}', which is none of Gateway:Tenants.");
        }

        foreach (var source in options.SessionIdentity)
        {
            errors.Require(
                source.StartsWith("body:", StringComparison.Ordinal) || source.StartsWith("header:", StringComparison.Ordinal),
                $"Gateway:SessionIdentity '{source}' begins with neither 'body:' nor 'header:'.");
        }

        return errors.ToResult();
    }
}
