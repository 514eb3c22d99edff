using Herd.Grains.Hosting.Identity;
using Herd.Grains.Hosting.Lifetime;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Hosting.Configuration;

/// <summary>The process's part in the cluster. Section "Cluster".</summary>
public sealed class ClusterOptions
{
    public const string Section = "Cluster";

    /// <summary>The process's name, unique in the cluster: 1 to 63 lower-case letters, digits and '-'.</summary>
    public string Name { get; set; } = "";

    /// <summary>
    /// The address of the Redis, Valkey or Garnet with membership and conversations: redis://HOST:PORT, rediss:// for
    /// TLS, or the form of StackExchange.Redis. A store with replicas has several addresses, separated by commas. It
    /// holds no password: see <see cref="StorePasswordFile"/>. Default 127.0.0.1:6379.
    /// </summary>
    public string Store { get; set; } = "127.0.0.1:6379";

    /// <summary>The user at the store; empty means its default user. Default empty.</summary>
    public string StoreUser { get; set; } = "";

    /// <summary>
    /// The file of the password at the store. Spaces and line ends around it are no part of it. Empty means none.
    /// Default empty.
    /// </summary>
    public string StorePasswordFile { get; set; } = "";

    /// <summary>
    /// The file of the certificate (PEM) that has issued the store's, for TLS; empty means those that the system
    /// trusts. Default empty.
    /// </summary>
    public string StoreCertificateFile { get; set; } = "";

    /// <summary>
    /// The file of the keys that conversations in the store and KV caches on disk are encrypted with, readable by its
    /// user only: in each line a name and, behind a space, 32 random bytes in base64. New records are written with the
    /// first key; with the others, and without, they are read. Empty means that they are not encrypted. Default empty.
    /// </summary>
    public string StorageKeysFile { get; set; } = "";

    /// <summary>
    /// The number of the store's replicas that must confirm a write, so that no acknowledged write is lost in a
    /// failover of the store; 0 or more. Default 0.
    /// </summary>
    public int StoreReplicas { get; set; }

    /// <summary>The address at which other processes reach this one. Default 127.0.0.1.</summary>
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>The port for calls between processes, 1 to 65535. Default 11111.</summary>
    public int SiloPort { get; set; } = 11111;

    /// <summary>The port of a node's link, for heartbeats and KV caches, 1 to 65535. Default 11112.</summary>
    public int LinkPort { get; set; } = 11112;

    /// <summary>
    /// The port of a node's health over HTTP without TLS. It serves nothing else. 1 to 65535; 0 means none. Default 0.
    /// </summary>
    public int HealthPort { get; set; }

    /// <summary>
    /// The port of a node's health as grpc.health.v1, over HTTP/2 without TLS. 1 to 65535; 0 means none. Default 0.
    /// </summary>
    public int HealthGrpcPort { get; set; }

    /// <summary>
    /// Seconds between the decision to stop the process and its kill, as Kubernetes' terminationGracePeriodSeconds; 0
    /// means that it is not killed. <see cref="GracePeriod"/> divides them. Default 0.
    /// </summary>
    public int GraceSeconds { get; set; }

    /// <summary>Seconds of <see cref="GraceSeconds"/> that pass before SIGTERM, in a preStop hook. Default 0.</summary>
    public int PreStopSeconds { get; set; }

    /// <summary>The format of log lines. Default text.</summary>
    public LogFormat LogFormat { get; set; }

    /// <summary>
    /// The file of the secret that the cluster's processes share, at least 32 bytes. It is the same for all of them.
    /// </summary>
    public string KeyFile { get; set; } = "";

    /// <summary>Reads the options before there are services.</summary>
    internal static ClusterOptions Read(IConfiguration configuration) =>
        configuration.GetSection(Section).Get<ClusterOptions>() ?? new ClusterOptions();
}

internal sealed class ClusterOptionsValidator : IValidateOptions<ClusterOptions>
{
    public ValidateOptionsResult Validate(string? name, ClusterOptions options)
    {
        var errors = new OptionErrors();
        errors.Require(
            options.Name.Length is > 0 and <= 63
                && options.Name.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-'),
            $"Cluster:Name '{options.Name}' must be 1 to 63 lower-case letters, digits and '-'.");
        StoreOptionErrors.Check(options, errors);
        errors.RequireAtLeast("Cluster:StoreReplicas", options.StoreReplicas, 0);
        errors.Require(
            System.Net.IPAddress.TryParse(options.Address, out _),
            $"Cluster:Address '{options.Address}' is not an IP address.");
        errors.RequireBetween("Cluster:SiloPort", options.SiloPort, 1, 65535);
        errors.RequireBetween("Cluster:LinkPort", options.LinkPort, 1, 65535);
        errors.RequireBetween("Cluster:HealthPort", options.HealthPort, 0, 65535);
        errors.RequireBetween("Cluster:HealthGrpcPort", options.HealthGrpcPort, 0, 65535);
        var ports = new[] { options.SiloPort, options.LinkPort, options.HealthPort, options.HealthGrpcPort }
            .Where(port => port > 0).ToList();
        errors.Require(
            ports.Distinct().Count() == ports.Count,
            $"Two of Cluster:SiloPort {options.SiloPort}, Cluster:LinkPort {options.LinkPort}, Cluster:HealthPort "
            + $"{options.HealthPort} and Cluster:HealthGrpcPort {options.HealthGrpcPort} are the same. "
            + "Choose different ports.");
        errors.RequireAtLeast("Cluster:GraceSeconds", options.GraceSeconds, 0);
        errors.RequireAtLeast("Cluster:PreStopSeconds", options.PreStopSeconds, 0);
        errors.Require(
            options.GraceSeconds == 0 || options.GraceSeconds >= GracePeriod.Minimum(options).TotalSeconds,
            $"Cluster:GraceSeconds {options.GraceSeconds} is less than {GracePeriod.Minimum(options).TotalSeconds}: "
            + $"{options.PreStopSeconds} s of preStop, {GracePeriod.StopTime.TotalSeconds} s to stop, and a margin.");
        var key = new FileInfo(options.KeyFile.Length > 0 ? options.KeyFile : "none");
        errors.Require(
            key.Exists && key.Length >= ClusterKey.MinBytes,
            $"Cluster:KeyFile '{options.KeyFile}' is no file of at least {ClusterKey.MinBytes} bytes. "
            + "Give the file of the secret that the cluster's processes share.");
        return errors.ToResult();
    }
}
