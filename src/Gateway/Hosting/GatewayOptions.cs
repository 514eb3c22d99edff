using System.Net;
using Herd.Gateway.Tenants;
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
    /// Tenants by name, each with the SHA-256 of its API keys in hexadecimal, divided by commas. Without tenants, here or by
    /// <see cref="TenantsFile"/> or <see cref="Jwt"/>, no key is asked for and everybody is the tenant "default". Default empty.
    /// </summary>
    public Dictionary<string, string> Tenants { get; set; } = [];

    /// <summary>The tenants of <see cref="Tenants"/> that may do what is for operators. Where no key is asked for, everybody may. Default none.</summary>
    public IList<string> Operators { get; set; } = [];

    /// <summary>A JSON file with more tenants (README, "Keys and tenants"), read again when it changes. Default none.</summary>
    public string TenantsFile { get; set; } = "";

    /// <summary>Tokens that other services issue. Default none are let in.</summary>
    public JwtOptions Jwt { get; set; } = new();

    /// <summary>What a tenant may use that has no limits of its own. Default without bounds.</summary>
    public TenantLimits Limits { get; set; } = new();

    /// <summary>The certificate of the ports, as a PEM file with its chain, read again when it changes; empty means no TLS. Default none.</summary>
    public string Certificate { get; set; } = "";

    /// <summary>The key of <see cref="Certificate"/>, as a PEM file.</summary>
    public string CertificateKey { get; set; } = "";

    /// <summary>The address of the operators' port. Default 127.0.0.1; another one needs <see cref="AdminKeys"/>.</summary>
    public string AdminBind { get; set; } = "127.0.0.1";

    /// <summary>The port of what is for operators (herd.v1.AdminService, metrics), 1 to 65535; 0 means none. Default 8082.</summary>
    public int AdminPort { get; set; } = 8082;

    /// <summary>
    /// The port at which KEDA asks how many nodes pools should have (docs/kubernetes.md), at <see cref="Bind"/>, without TLS or key: nothing
    /// else is had there. 1 to 65535; 0 means none. Default 0.
    /// </summary>
    public int ScalerPort { get; set; }

    /// <summary>The SHA-256 of keys that the operators' port asks for. Default none: who is on this machine is let in.</summary>
    public IList<string> AdminKeys { get; set; } = [];

    /// <summary>
    /// How long a turn may be foreseen to wait before it is computed; beyond that it is refused at once, with when to try again.
    /// Less keeps the time to the first token of those let in. Default 30 s.
    /// </summary>
    public TimeSpan MaxWait { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Turns that may wait at this gateway for their first token, 1 or more. Default 1024.</summary>
    public int MaxWaiting { get; set; } = 1024;

    /// <summary>How long a client may take to read a piece of a stream, above zero; then it is cut off. Default 30 s.</summary>
    public TimeSpan ReadTime { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Where a stateless request says which session it belongs to, in order of preference: "body:" or "header:" and a
    /// name. What comes last, always, is the beginning of its messages.
    /// </summary>
    public IList<string> SessionIdentity { get; set; } = [];

    /// <summary>Whether a key is asked for.</summary>
    internal bool HasKeys => Tenants.Count > 0 || TenantsFile.Length > 0 || Jwt.IsOn;

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
            !isAddress || IPAddress.IsLoopback(address!) || options.HasKeys,
            $"Gateway:Bind {options.Bind} is reached from other machines, and no key is asked for. Give keys in Gateway:Tenants or Gateway:TenantsFile, or listen on 127.0.0.1.");
        errors.Require(options.HttpPort is >= 1 and <= 65535, $"Gateway:HttpPort {options.HttpPort} is not from 1 to 65535.");
        errors.Require(options.GrpcPort is >= 1 and <= 65535, $"Gateway:GrpcPort {options.GrpcPort} is not from 1 to 65535.");
        errors.Require(options.AdminPort is >= 0 and <= 65535, $"Gateway:AdminPort {options.AdminPort} is not from 0 to 65535.");
        errors.Require(
            new[] { options.HttpPort, options.GrpcPort, options.AdminPort }.Distinct().Count() == 3,
            $"Gateway:HttpPort {options.HttpPort}, Gateway:GrpcPort {options.GrpcPort} and Gateway:AdminPort {options.AdminPort} are not three ports.");
        errors.Require(options.ScalerPort is >= 0 and <= 65535, $"Gateway:ScalerPort {options.ScalerPort} is not from 0 to 65535.");
        errors.Require(
            options.ScalerPort == 0 || (options.ScalerPort != options.HttpPort && options.ScalerPort != options.GrpcPort && options.ScalerPort != options.AdminPort),
            $"Gateway:ScalerPort {options.ScalerPort} is another's port already.");
        var isAdminAddress = IPAddress.TryParse(options.AdminBind, out var adminAddress);
        errors.Require(isAdminAddress, $"Gateway:AdminBind '{options.AdminBind}' is not an IP address.");
        errors.Require(
            !isAdminAddress || IPAddress.IsLoopback(adminAddress!) || options.AdminKeys.Count > 0,
            $"Gateway:AdminBind {options.AdminBind} is reached from other machines, and no key is asked for. Give some in Gateway:AdminKeys, or listen on 127.0.0.1.");
        errors.Require(
            options.MaxBodyBytes is >= 1 << 10 and <= 256 << 20,
            $"Gateway:MaxBodyBytes {options.MaxBodyBytes} is not from 1 KiB to 256 MiB.");
        errors.Require(options.MaxWait >= TimeSpan.Zero, $"Gateway:MaxWait {options.MaxWait} is negative.");
        errors.Require(options.ReadTime > TimeSpan.Zero, $"Gateway:ReadTime {options.ReadTime} is not above zero.");
        errors.Require(options.MaxWaiting >= 1, $"Gateway:MaxWaiting {options.MaxWaiting} is not 1 or more.");
        CheckTenants(options, errors);
        options.Limits.Check("Gateway:Limits", errors);
        options.Jwt.Check(errors);
        errors.Require(
            (options.Certificate.Length > 0) == (options.CertificateKey.Length > 0),
            "Gateway:Certificate and Gateway:CertificateKey go together; one of them is missing.");
        foreach (var file in new[] { options.Certificate, options.CertificateKey, options.TenantsFile })
        {
            errors.Require(file.Length == 0 || File.Exists(file), $"There is no file '{file}' (Gateway:Certificate, Gateway:CertificateKey, Gateway:TenantsFile).");
        }

        foreach (var source in options.SessionIdentity)
        {
            errors.Require(
                source.StartsWith("body:", StringComparison.Ordinal) || source.StartsWith("header:", StringComparison.Ordinal),
                $"Gateway:SessionIdentity '{source}' begins with neither 'body:' nor 'header:'.");
        }

        return errors.ToResult();
    }

    private static void CheckTenants(GatewayOptions options, OptionErrors errors)
    {
        foreach (var (tenant, hashes) in options.Tenants)
        {
            errors.Require(
                TenantKeys.Split(hashes).All(TenantKeys.IsHash) && TenantKeys.Split(hashes).Length > 0,
                $"Gateway:Tenants:{tenant} is not the SHA-256 of a key, 64 hexadecimal digits.");
        }

        errors.Require(options.AdminKeys.All(TenantKeys.IsHash), "Gateway:AdminKeys holds what is not the SHA-256 of a key, 64 hexadecimal digits.");
        foreach (var tenant in options.Operators)
        {
            errors.Require(options.Tenants.ContainsKey(tenant), $"Gateway:Operators names '{tenant}', which is none of Gateway:Tenants.");
        }
    }
}
