using System.Globalization;
using Herd.Grains.Hosting.Configuration;
using Herd.Grains.Hosting.Lifetime;
using Herd.Grains.Nodes;
using Herd.Grains.Scaling;
using Microsoft.Extensions.Configuration;
using k8s.Models;

namespace Herd.Kubernetes.Tests;

/// <summary>Properties that the manifests of every overlay have.</summary>
public sealed class ManifestTests
{
    public static TheoryData<string> Overlays => ["dev", "production"];

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Grace_OfEveryPod_IsLongerThanItsEnd(string overlay)
    {
        foreach (var (name, pod) in (await Rendered.FromOverlay(overlay)).Pods.Where(made => made.Name != "herd-store"))
        {
            var container = Assert.Single(pod.Spec.Containers);
            var cluster = new ClusterOptions
            {
                GraceSeconds = int.Parse(
                    Rendered.Variable(container, "Cluster__GraceSeconds")!, CultureInfo.InvariantCulture),
                PreStopSeconds = int.Parse(
                    Rendered.Variable(container, "Cluster__PreStopSeconds") ?? "0", CultureInfo.InvariantCulture),
            };
            Assert.Equal(pod.Spec.TerminationGracePeriodSeconds, cluster.GraceSeconds);
            Assert.Equal(container.Lifecycle?.PreStop.Sleep.Seconds ?? 0, cluster.PreStopSeconds);
            Assert.True(cluster.GraceSeconds >= GracePeriod.Minimum(cluster).TotalSeconds, name);
            Assert.True(!IsNode(name)
                || GracePeriod.DrainTimeout(cluster, new NodeOptions()) >= TimeSpan.FromSeconds(60), name);
        }
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Pods_OfEveryWorkload_MayDoNothing(string overlay)
    {
        var rendered = await Rendered.FromOverlay(overlay);
        foreach (var (name, pod) in rendered.Pods)
        {
            Assert.True(pod.Spec.SecurityContext.RunAsNonRoot, name);
            Assert.Equal("RuntimeDefault", pod.Spec.SecurityContext.SeccompProfile.Type);
            Assert.False(pod.Spec.AutomountServiceAccountToken, name);
            Assert.False(pod.Spec.EnableServiceLinks, name);
            Assert.True(pod.Spec.HostNetwork is not true && pod.Spec.HostPID is not true);
            foreach (var container in pod.Spec.Containers.Concat(pod.Spec.InitContainers ?? []))
            {
                Assert.True(container.SecurityContext.ReadOnlyRootFilesystem, name);
                Assert.False(container.SecurityContext.AllowPrivilegeEscalation, name);
                Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);
            }

            Assert.Contains(rendered.All<V1ServiceAccount>(), account =>
                account.Metadata.Name == pod.Spec.ServiceAccountName && account.AutomountServiceAccountToken == false);
        }

        Assert.Empty(rendered.All<V1ClusterRole>());
        Assert.Empty(rendered.All<V1Role>());
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Images_OfEveryPod_ArePinned(string overlay) => Assert.All(
        (await Rendered.FromOverlay(overlay)).Pods.SelectMany(made => made.Pod.Spec.Containers),
        container => Assert.Matches("^[^:]+:[0-9][^:]*$", container.Image));

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Resources_OfEveryPod_AreSaidAndMemoryIsNotOversold(string overlay) => Assert.All(
        (await Rendered.FromOverlay(overlay)).Pods.SelectMany(made => made.Pod.Spec.Containers),
        container =>
        {
            Assert.Equal(
                container.Resources.Requests["memory"].CanonicalizeString(),
                container.Resources.Limits["memory"].CanonicalizeString());
            Assert.True(container.Resources.Requests.ContainsKey("cpu"));
            Assert.Equal(
                container.Resources.Requests.TryGetValue("nvidia.com/gpu", out var asked) ? asked.ToString() : null,
                container.Resources.Limits.TryGetValue("nvidia.com/gpu", out var given) ? given.ToString() : null);
        });

    /// <summary>Network policies let somebody reach every port that a pod listens on, and no other port.</summary>
    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Ports_OfEveryPod_HaveTheirRules(string overlay)
    {
        var rendered = await Rendered.FromOverlay(overlay);
        var policies = rendered.All<V1NetworkPolicy>().ToList();
        foreach (var (name, pod) in rendered.Pods)
        {
            var applied = policies.Where(policy => Rendered.Selects(policy.Spec.PodSelector, pod.Metadata.Labels))
                .ToList();
            Assert.Contains(applied, policy => policy.Spec.Ingress is null && policy.Spec.Egress is null
                && policy.Spec.PolicyTypes.Count == 2);
            var open = applied.SelectMany(policy => policy.Spec.Ingress ?? [])
                .SelectMany(rule => rule.Ports)
                .Select(port => port.Port.Value)
                .ToHashSet();
            var listens = pod.Spec.Containers.SelectMany(container => container.Ports)
                .Select(port => $"{port.ContainerPort}")
                .ToHashSet();
            Assert.True(
                open.SetEquals(listens),
                $"{name} listens on {string.Join(", ", listens)}; open are {string.Join(", ", open)}.");
        }
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Selectors_OfServicesAndBudgets_FindPods(string overlay)
    {
        var rendered = await Rendered.FromOverlay(overlay);
        bool Finds(IDictionary<string, string> labels) =>
            rendered.Pods.Any(
                made => Rendered.Selects(new V1LabelSelector { MatchLabels = labels }, made.Pod.Metadata.Labels));

        Assert.All(rendered.All<V1Service>(), service =>
        {
            Assert.True(Finds(service.Spec.Selector), service.Metadata.Name);
            var ports = rendered.Pods.Where(made =>
                Rendered.Selects(new V1LabelSelector { MatchLabels = service.Spec.Selector }, made.Pod.Metadata.Labels))
                .SelectMany(made => made.Pod.Spec.Containers)
                .SelectMany(container => container.Ports)
                .Select(port => port.Name);
            Assert.All(service.Spec.Ports, port => Assert.Contains(port.TargetPort.Value, ports));
        });
        Assert.All(
            rendered.All<V1PodDisruptionBudget>(),
            budget => Assert.True(Finds(budget.Spec.Selector.MatchLabels), budget.Metadata.Name));
        Assert.All(
            rendered.All<V1Deployment>(),
            made => Assert.True(Rendered.Selects(made.Spec.Selector, made.Spec.Template.Metadata.Labels)));
        Assert.Equal(
            rendered.All<V1Deployment>().Select(made => made.Metadata.Name).Order(StringComparer.Ordinal),
            rendered.All<V1PodDisruptionBudget>().Select(budget => budget.Metadata.Name).Order(StringComparer.Ordinal));
    }

    /// <summary>The liveness probe checks the process only. A starting pod has time to load its model.</summary>
    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Probes_OfHerdsPods_SayWhatTheyMean(string overlay)
    {
        foreach (var (name, pod) in (await Rendered.FromOverlay(overlay)).Pods.Where(made => made.Name != "herd-store"))
        {
            var container = Assert.Single(pod.Spec.Containers);
            Assert.Equal("/health/live", container.LivenessProbe.HttpGet.Path);
            Assert.Equal("/health/ready", container.ReadinessProbe.HttpGet.Path);
            var starting = (container.StartupProbe.PeriodSeconds
                ?? 10) * (container.StartupProbe.FailureThreshold ?? 3);
            Assert.True(starting >= (IsNode(name) ? 600 : 60), name);
            Assert.Contains(container.LivenessProbe.HttpGet.Port.Value, container.Ports.Select(port => port.Name));
        }
    }

    /// <summary>
    /// Each pool has nodes, a disruption budget and a scaled object of one model. Its scaler has the same bounds as the
    /// gateways.
    /// </summary>
    [Fact]
    public async Task Pools_OfProduction_MatchTheSettingsOfGateways()
    {
        var rendered = await Rendered.FromOverlay("production");
        var variables = rendered.All<V1Deployment>()
            .Single(made => made.Metadata.Name == "herd-gateway").Spec.Template.Spec.Containers.Single().Env
            .Where(variable => variable.Name.StartsWith("Scaling__", StringComparison.Ordinal))
            .Select(variable => KeyValuePair.Create(
                variable.Name.Replace("__", ":", StringComparison.Ordinal), (string?)variable.Value));
        var scaling = new ConfigurationBuilder().AddInMemoryCollection(variables)
            .Build()
            .GetSection(ScalingOptions.Section)
            .Get<ScalingOptions>()!;
        Assert.True(new ScalingOptionsValidator().Validate(null, scaling).Succeeded);

        var scaled = rendered.Custom("ScaledObject");
        Assert.Equal(scaling.Pools.Count, scaled.Count);
        foreach (var pool in scaling.Pools)
        {
            var workload = rendered.All<V1Deployment>().Single(made => made.Metadata.Name == $"herd-node-{pool.Model}");
            Assert.Null(workload.Spec.Replicas);
            Assert.Equal(
                $"/models/{pool.Model}.gguf",
                Rendered.Variable(workload.Spec.Template.Spec.Containers.Single(), "Node__Model"));
            var spec = scaled
                .Single(made => made.GetProperty("metadata").GetProperty("name").GetString() == workload.Metadata.Name)
                .GetProperty("spec");
            Assert.Equal(workload.Metadata.Name, spec.GetProperty("scaleTargetRef").GetProperty("name").GetString());
            Assert.Equal(
                (pool.Min, pool.Max),
                (spec.GetProperty("minReplicaCount").GetInt32(), spec.GetProperty("maxReplicaCount").GetInt32()));
            var trigger = spec.GetProperty("triggers")[0].GetProperty("metadata");
            Assert.Equal(pool.Model, trigger.GetProperty("model").GetString());
            var service = rendered.All<V1Service>().Single(made => made.Metadata.Name == "herd-scaler");
            Assert.Equal(
                $"herd-scaler.{service.Metadata.NamespaceProperty}:{service.Spec.Ports.Single().Port}",
                trigger.GetProperty("scalerAddress").GetString());
        }
    }

    private static bool IsNode(string workload) => workload.StartsWith("herd-node", StringComparison.Ordinal);

    /// <summary>Every setting of a pod exists in an options class.</summary>
    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Variables_OfHerdsPods_AreSettings(string overlay)
    {
        var known = new Dictionary<string, Type>
        {
            ["Cluster"] = typeof(ClusterOptions),
            ["Node"] = typeof(NodeOptions),
            ["Scaling"] = typeof(ScalingOptions),
            ["Gateway"] = Type.GetType("Herd.Gateway.Hosting.GatewayOptions, Herd.Gateway", throwOnError: true)!,
        };
        foreach (var (_, pod) in (await Rendered.FromOverlay(overlay)).Pods)
        {
            foreach (var variable in pod.Spec.Containers.SelectMany(container => container.Env ?? [])
                .Where(variable => variable.Name.Contains("__", StringComparison.Ordinal)))
            {
                var path = variable.Name.Split("__");
                Assert.True(known[path[0]].GetProperty(path[1]) is not null, variable.Name);
            }
        }
    }
}
