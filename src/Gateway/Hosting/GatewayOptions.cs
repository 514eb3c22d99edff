using System.Net;
using Herd.Gateway.Tenants;
using Herd.Grains.Hosting.Configuration;
using Microsoft.Extensions.Options;

namespace Herd.Gateway.Hosting;

/// <summary>A gateway's ports, keys, limits and certificate. Section "Gateway".</summary>
public sealed class GatewayOptions
{
    public const string Section = "Gateway";

    /// <summary>
    /// The address to listen on. Default 127.0.0.1: this machine only. Another address needs keys
    /// (<see cref="Tenants"/>).
    /// </summary>
    public string Bind { get; set; } = "127.0.0.1";

    /// <summary>The port of the HTTP interfaces and of health, 1 to 65535. Default 8080.</summary>
    public int HttpPort { get; set; } = 8080;

    /// <summary>The port of gRPC, 1 to 65535. Default 8081.</summary>
    public int GrpcPort { get; set; } = 8081;

    /// <summary>The largest body of a request in bytes, 1 KiB to 256 MiB. Default 4 MiB.</summary>
    public int MaxBodyBytes { get; set; } = 4 << 20;

    /// <summary>
    /// The tenants by name. The value is the SHA-256 of each of the tenant's API keys in hexadecimal, separated by
    /// commas. Without tenants, <see cref="TenantsFile"/> and <see cref="Jwt"/>, no key is needed and every caller is
    /// the tenant "default". Default empty.
    /// </summary>
    public Dictionary<string, string> Tenants { get; set; } = [];

    /// <summary>
    /// The tenants of <see cref="Tenants"/> that are operators: they may make all calls for operators. Default none.
    /// </summary>
    public IList<string> Operators { get; set; } = [];

    /// <summary>
    /// The tenants of <see cref="Tenants"/> that are readers: they may make those calls for operators that change
    /// nothing. Default none.
    /// </summary>
    public IList<string> Readers { get; set; } = [];

    /// <summary>A JSON file with more tenants (docs/security.md), read again when it changes. Default none.</summary>
    public string TenantsFile { get; set; } = "";

    /// <summary>JSON web tokens of other services. Default none are accepted.</summary>
    public JwtOptions Jwt { get; set; } = new();

    /// <summary>The limits of tenants without limits of their own. Default no limits.</summary>
    public TenantLimits Limits { get; set; } = new();

    /// <summary>
    /// The time after their last turn at which stored conversations of all tenants are deleted, above zero. Default
    /// none: they are kept until somebody deletes them.
    /// </summary>
    public TimeSpan? Retention { get; set; }

    /// <summary>
    /// The certificate of the ports, a PEM file with its chain, read again when it changes. Empty means no TLS. Default
    /// none.
    /// </summary>
    public string Certificate { get; set; } = "";

    /// <summary>The key of <see cref="Certificate"/>, a PEM file. Default none.</summary>
    public string CertificateKey { get; set; } = "";

    /// <summary>
    /// The address of the operators' port. Default 127.0.0.1: this machine only. Another address needs
    /// <see cref="AdminKeys"/>.
    /// </summary>
    public string AdminBind { get; set; } = "127.0.0.1";

    /// <summary>
    /// The operators' port (herd.v1.ClusterService), 1 to 65535. 0 means none: then operators use the public ports.
    /// Default 8082.
    /// </summary>
    public int AdminPort { get; set; } = 8082;

    /// <summary>
    /// The port of KEDA's external scaler (docs/kubernetes.md), at <see cref="Bind"/>, without TLS and keys. It serves
    /// nothing else. 1 to 65535; 0 means none. Default 0.
    /// </summary>
    public int ScalerPort { get; set; }

    /// <summary>
    /// The SHA-256 of each operator's key in hexadecimal. Default none: then only the key of
    /// <see cref="AdminKeyFile"/> and tenants that are operators make calls for operators.
    /// </summary>
    public IList<string> AdminKeys { get; set; } = [];

    /// <summary>The SHA-256 of each reader's key in hexadecimal. Default none.</summary>
    public IList<string> ReaderKeys { get; set; } = [];

    /// <summary>
    /// A file with one more operator's key, the key itself, readable by its owner only. <c>herd up</c> makes one.
    /// Default none.
    /// </summary>
    public string AdminKeyFile { get; set; } = "";

    /// <summary>
    /// The longest predicted wait of an admitted turn, 0 or more. A turn with a longer one is refused at once, with the
    /// time after which to try again. A smaller value keeps the time to the first token short. Default 30 s.
    /// </summary>
    public TimeSpan MaxPredictedWait { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The number of turns that may wait at this gateway for their first token, 1 or more. Default 1024.
    /// </summary>
    public int MaxWaiting { get; set; } = 1024;

    /// <summary>
    /// The time in which a client must read a piece of a stream, above zero. A slower one is disconnected.
    /// Default 30 s.
    /// </summary>
    public TimeSpan ClientReadTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The fields that name the session of a stateless request, in order of preference: "body:" or "header:" and a
    /// name. A request without them is identified by the beginning of its messages. Default the fields of common
    /// clients.
    /// </summary>
    public IList<string> SessionIdentity { get; set; } = [];

    /// <summary>True if there is a key for operators' calls.</summary>
    internal bool HasOperatorKeys => AdminKeys.Count > 0 || ReaderKeys.Count > 0 || AdminKeyFile.Length > 0;

    /// <summary>True if callers need a key.</summary>
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
    private const int MinKeyLength = 16;

    public ValidateOptionsResult Validate(string? name, GatewayOptions options)
    {
        var errors = new OptionErrors();
        var isAddress = IPAddress.TryParse(options.Bind, out var address);
        errors.Require(isAddress, $"Gateway:Bind '{options.Bind}' is not an IP address.");
        errors.Require(
            !isAddress || IPAddress.IsLoopback(address!) || options.HasKeys,
            $"Gateway:Bind {options.Bind} is open to other machines, but no keys are set. "
            + "Set keys in Gateway:Tenants, Gateway:TenantsFile or Gateway:Jwt, or listen on 127.0.0.1.");
        CheckPort("HttpPort", options.HttpPort, min: 1);
        CheckPort("GrpcPort", options.GrpcPort, min: 1);
        CheckPort("AdminPort", options.AdminPort, min: 0);
        CheckPort("ScalerPort", options.ScalerPort, min: 0);
        errors.Require(
            new[] { options.HttpPort, options.GrpcPort, options.AdminPort }.Distinct().Count() == 3,
            $"Gateway:HttpPort {options.HttpPort}, Gateway:GrpcPort {options.GrpcPort} and Gateway:AdminPort "
            + $"{options.AdminPort} must be three different ports.");
        errors.Require(
            options.ScalerPort == 0
            || !new[] { options.HttpPort, options.GrpcPort, options.AdminPort }.Contains(options.ScalerPort),
            $"Gateway:ScalerPort {options.ScalerPort} must differ from the gateway's other ports.");
        var isAdminAddress = IPAddress.TryParse(options.AdminBind, out var adminAddress);
        errors.Require(isAdminAddress, $"Gateway:AdminBind '{options.AdminBind}' is not an IP address.");
        errors.Require(
            !isAdminAddress || IPAddress.IsLoopback(adminAddress!) || options.HasOperatorKeys,
            $"Gateway:AdminBind {options.AdminBind} is open to other machines, but no keys are set. "
            + "Set keys in Gateway:AdminKeys, or listen on 127.0.0.1.");
        errors.RequireBetween("Gateway:MaxBodyBytes", options.MaxBodyBytes, 1 << 10, 256 << 20);
        errors.RequireAtLeast("Gateway:MaxPredictedWait", options.MaxPredictedWait, TimeSpan.Zero);
        errors.RequireAbove("Gateway:ClientReadTimeout", options.ClientReadTimeout, TimeSpan.Zero);
        errors.RequireAtLeast("Gateway:MaxWaiting", options.MaxWaiting, 1);
        errors.RequireAbove("Gateway:Retention", options.Retention ?? TimeSpan.MaxValue, TimeSpan.Zero);
        CheckTenants(options, errors);
        options.Limits.Check("Gateway:Limits", errors);
        options.Jwt.Check(errors);
        errors.Require(
            (options.Certificate.Length > 0) == (options.CertificateKey.Length > 0),
            "Gateway:Certificate and Gateway:CertificateKey belong together, but only one is set. Set both or none.");
        foreach (var file in new[] { options.Certificate, options.CertificateKey, options.TenantsFile })
        {
            errors.Require(
                file.Length == 0 || File.Exists(file),
                $"There is no file '{file}' (Gateway:Certificate, Gateway:CertificateKey, Gateway:TenantsFile).");
        }

        foreach (var source in options.SessionIdentity)
        {
            errors.Require(
                source.StartsWith("body:", StringComparison.Ordinal)
                || source.StartsWith("header:", StringComparison.Ordinal),
                $"Gateway:SessionIdentity '{source}' does not begin with 'body:' or 'header:'.");
        }

        return errors.ToResult();

        void CheckPort(string name, int port, int min) =>
            errors.RequireBetween($"Gateway:{name}", port, min, IPEndPoint.MaxPort);
    }

    private static void CheckTenants(GatewayOptions options, OptionErrors errors)
    {
        foreach (var (tenant, hashes) in options.Tenants)
        {
            errors.Require(
                TenantKeys.Split(hashes).All(TenantKeys.IsHash) && TenantKeys.Split(hashes).Length > 0,
                $"Gateway:Tenants:{tenant} is not the SHA-256 of a key, 64 hexadecimal digits.");
        }

        foreach (var (name, hashes) in new[]
        {
            (nameof(options.AdminKeys), options.AdminKeys), (nameof(options.ReaderKeys), options.ReaderKeys),
        })
        {
            errors.Require(
                hashes.All(TenantKeys.IsHash),
                $"Gateway:{name} has a value that is not the SHA-256 of a key, 64 hexadecimal digits.");
        }

        if (options.AdminKeyFile.Length > 0)
        {
            errors.RequireSecretFile(
                "Gateway:AdminKeyFile",
                options.AdminKeyFile,
                MinKeyLength,
                $"has no key of at least {MinKeyLength} characters. Delete it, and 'herd up' makes a new one.",
                "Set its mode to 600.");
        }

        foreach (var (name, tenants) in new[]
        {
            (nameof(options.Operators), options.Operators), (nameof(options.Readers), options.Readers),
        })
        {
            foreach (var tenant in tenants.Where(tenant => !options.Tenants.ContainsKey(tenant)))
            {
                errors.Require(
                    false, $"Gateway:{name} names '{tenant}', which is not in Gateway:Tenants. Add it there.");
            }
        }
    }
}
