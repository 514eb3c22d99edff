using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Hosting;

/// <summary>How a process takes part in the cluster. Section "Cluster".</summary>
public sealed class ClusterOptions
{
    public const string Section = "Cluster";

    /// <summary>The process's name, one of a kind in the cluster: 1 to 63 lower-case letters, digits and '-'.</summary>
    public string Name { get; set; } = "";

    /// <summary>
    /// The Redis or Garnet that holds membership and conversations, as StackExchange.Redis reads it: several addresses, divided by commas, of one
    /// with replicas. Default 127.0.0.1:6379.
    /// </summary>
    public string Store { get; set; } = "127.0.0.1:6379";

    /// <summary>
    /// How many of the store's replicas must have a write before it counts, so that nothing that was acknowledged is lost when one of them
    /// takes its place. 0 or more. Default 0.
    /// </summary>
    public int StoreReplicas { get; set; }

    /// <summary>The address other processes reach this one by. Default 127.0.0.1.</summary>
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>The port for calls between processes, 1 to 65535. Default 11111.</summary>
    public int SiloPort { get; set; } = 11111;

    /// <summary>The port of a node's link, for heartbeats and KV caches, 1 to 65535. Default 11112.</summary>
    public int LinkPort { get; set; } = 11112;

    /// <summary>The port of a node's health, over HTTP without TLS: nothing else is had there. 1 to 65535; 0 means none. Default 0.</summary>
    public int HealthPort { get; set; }

    /// <summary>The same as grpc.health.v1, over HTTP/2 without TLS. 1 to 65535; 0 means none. Default 0.</summary>
    public int HealthGrpcPort { get; set; }

    /// <summary>
    /// Seconds that the process is given from when its end is decided until it is killed, as Kubernetes' terminationGracePeriodSeconds; 0
    /// means that nobody kills it. <see cref="GracePeriod"/> says how they are divided. Default 0.
    /// </summary>
    public int GraceSeconds { get; set; }

    /// <summary>Seconds of <see cref="GraceSeconds"/> that pass before the process is told, as a preStop hook takes them. Default 0.</summary>
    public int PreStopSeconds { get; set; }

    /// <summary>What log lines look like. Default text.</summary>
    public LogFormat LogFormat { get; set; }

    /// <summary>A file with the secret that the cluster's processes share, at least 32 bytes. The same everywhere.</summary>
    public string KeyFile { get; set; } = "";

    /// <summary>As they are configured, for what is decided before there are services.</summary>
    internal static ClusterOptions Read(IConfiguration configuration) => configuration.GetSection(Section).Get<ClusterOptions>() ?? new ClusterOptions();
}

internal sealed class ClusterOptionsValidator : IValidateOptions<ClusterOptions>
{
    public ValidateOptionsResult Validate(string? name, ClusterOptions options)
    {
        var errors = new OptionErrors();
        errors.Require(
            options.Name.Length is > 0 and <= 63 && options.Name.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-'),
            $"Cluster:Name '{options.Name}' must be 1 to 63 lower-case letters, digits and '-'.");
        errors.Require(
            !string.IsNullOrWhiteSpace(options.Store),
            "Cluster:Store is empty; it names the Redis or Garnet to use, such as 127.0.0.1:6379.");
        errors.Require(options.StoreReplicas >= 0, $"Cluster:StoreReplicas {options.StoreReplicas} is negative.");
        errors.Require(
            System.Net.IPAddress.TryParse(options.Address, out _), $"Cluster:Address '{options.Address}' is not an IP address.");
        errors.Require(
            options.SiloPort is >= 1 and <= 65535, $"Cluster:SiloPort {options.SiloPort} is not from 1 to 65535.");
        errors.Require(
            options.LinkPort is >= 1 and <= 65535, $"Cluster:LinkPort {options.LinkPort} is not from 1 to 65535.");
        errors.Require(
            options.HealthPort is >= 0 and <= 65535, $"Cluster:HealthPort {options.HealthPort} is not from 0 to 65535.");
        errors.Require(
            options.HealthGrpcPort is >= 0 and <= 65535, $"Cluster:HealthGrpcPort {options.HealthGrpcPort} is not from 0 to 65535.");
        var ports = new[] { options.SiloPort, options.LinkPort, options.HealthPort, options.HealthGrpcPort }.Where(port => port > 0).ToList();
        errors.Require(
            ports.Distinct().Count() == ports.Count,
            $"Two of Cluster:SiloPort {options.SiloPort}, Cluster:LinkPort {options.LinkPort}, Cluster:HealthPort {options.HealthPort} and Cluster:HealthGrpcPort {options.HealthGrpcPort} are the same.");
        errors.Require(options.GraceSeconds >= 0, $"Cluster:GraceSeconds {options.GraceSeconds} is negative.");
        errors.Require(options.PreStopSeconds >= 0, $"Cluster:PreStopSeconds {options.PreStopSeconds} is negative.");
        errors.Require(
            options.GraceSeconds == 0 || options.GraceSeconds >= GracePeriod.Minimum(options).TotalSeconds,
            $"Cluster:GraceSeconds {options.GraceSeconds} is less than {GracePeriod.Minimum(options).TotalSeconds}: {options.PreStopSeconds} s of preStop, {GracePeriod.StopTime.TotalSeconds} s to stop, and some to spare.");
        var key = new FileInfo(options.KeyFile.Length > 0 ? options.KeyFile : "none");
        errors.Require(
            key.Exists && key.Length >= ClusterKey.LeastBytes,
            $"Cluster:KeyFile '{options.KeyFile}' is no file of at least {ClusterKey.LeastBytes} bytes; it holds the secret that the cluster's processes share.");
        return errors.ToResult();
    }
}
