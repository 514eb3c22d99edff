using System.Text.Json;
using k8s;
using k8s.Models;

namespace Herd.Kubernetes.Tests;

/// <summary>The chart renders the same objects as the overlays.</summary>
public sealed class ChartTests
{
    [Theory]
    [InlineData("dev", "herd-dev")]
    [InlineData("production", "herd")]
    public async Task Chart_WithAnOverlaysValues_RendersTheSameObjects(string overlay, string space)
    {
        var kustomized = ByName(await Rendered.FromOverlay(overlay));
        var charted = ByName(Rendered.Read(await Renderer.Release(space, $"values-{overlay}.yaml")));

        kustomized.Remove($"Namespace {space}");
        Assert.Equal(kustomized.Keys, charted.Keys);
        Assert.All(kustomized, pair => Assert.Equal(pair.Value, charted[pair.Key]));
    }

    /// <summary>With an external store the chart renders none and lets pods reach it.</summary>
    [Fact]
    public async Task Chart_WithAStoreElsewhere_HasNone()
    {
        var rendered = Rendered.Read(await Renderer.Release(
            "herd", "", """store={"kind":"external","address":"redis.example:6380","passwordSecret":""}"""));

        Assert.Empty(rendered.All<V1StatefulSet>());
        Assert.DoesNotContain(rendered.Objects, made => made.Metadata.Name == "herd-store");
        var gateway = rendered.All<V1NetworkPolicy>().Single(policy => policy.Metadata.Name == "herd-gateway");
        Assert.Contains(gateway.Spec.Egress, rule => rule.To is null && rule.Ports.Single().Port.Value == "6380");
        Assert.All(
            rendered.All<V1Deployment>(),
            made => Assert.Equal(
                "redis.example:6380",
                Rendered.Variable(made.Spec.Template.Spec.Containers.Single(), "Cluster__Store")));
        Assert.DoesNotContain(
            rendered.All<V1Deployment>().SelectMany(made => made.Spec.Template.Spec.Containers.Single().Env),
            variable => variable.Name == "Cluster__StorePasswordFile");
    }

    /// <summary>The store asks for the secret's password. Whoever connects has its file.</summary>
    [Theory]
    [InlineData("embedded")]
    [InlineData("valkey")]
    public async Task Chart_WithAStoreOfItsOwn_GivesItsPasswordToAllWhoConnect(string kind)
    {
        var rendered = Rendered.Read(await Renderer.Release("herd", "", $$"""store={"kind":"{{kind}}"}"""));

        var pods = rendered.All<V1Deployment>().Select(made => made.Spec.Template.Spec)
            .Concat(rendered.All<V1StatefulSet>().Select(made => made.Spec.Template.Spec)).ToList();
        Assert.Equal(3, pods.Count);
        Assert.All(pods, pod =>
        {
            var volume = Assert.Single(pod.Volumes, volume => volume.Secret?.SecretName == "herd-store");
            Assert.Equal((int)UnixFileMode.UserRead + (int)UnixFileMode.GroupRead, volume.Secret.DefaultMode);
            Assert.Contains(pod.Containers.Single().VolumeMounts, mount =>
                (mount.Name, mount.MountPath) == (volume.Name, "/etc/herd/store"));
        });
        var store = Assert.Single(pods, pod => pod.Containers.Single().Name == "store").Containers.Single();
        Assert.Contains("/etc/herd/store/password", string.Join(' ', store.Args), StringComparison.Ordinal);
        Assert.Equal(2, pods.Count(pod => pod.Containers.Single().Env?.Any(variable =>
            (variable.Name, variable.Value) == ("Cluster__StorePasswordFile", "/etc/herd/store/password")) ?? false));
    }

    [Theory]
    [InlineData(
        """pools=[{"name":"a","image":"node","model":"m","cpu":"1","memory":"2Gi","gpus":-1,"replicas":1}]""", "gpus")]
    [InlineData("""pools=[{"name":"a","image":"node","model":"m","cpu":"1","memory":"2Gi"}]""", "pools")]
    [InlineData("""pools=[]""", "pools")]
    [InlineData("""store={"kind":"postgres","address":"a:1"}""", "kind")]
    [InlineData("""gateway={"graceSeconds":10}""", "graceSeconds")]
    [InlineData("""models={"claim":"","image":""}""", "models")]
    [InlineData("""secrets={"clusterKey":"short"}""", "clusterKey")]
    [InlineData("""secrets={"storePassword":"short"}""", "storePassword")]
    [InlineData("""replicaCount=3""", "replicaCount")]
    public async Task Chart_WithValuesThatCannotBe_IsRefusedByName(string value, string field)
    {
        var error = await Assert.ThrowsAnyAsync<Exception>(() => Renderer.Release("herd", "", value));

        Assert.Contains(field, error.Message, StringComparison.Ordinal);
    }

    /// <summary>Each object as JSON, without its namespace: helm leaves it to the release.</summary>
    private static SortedDictionary<string, string> ByName(Rendered rendered)
    {
        var objects = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var made in rendered.Objects)
        {
            made.Metadata.NamespaceProperty = null;
            objects[$"{made.Kind} {made.Metadata.Name}"] =
                Canonical(JsonDocument.Parse(KubernetesJson.Serialize(made)).RootElement);
        }

        foreach (var kind in new[] { "ScaledObject", "HTTPRoute", "GRPCRoute" })
        {
            foreach (var made in rendered.Custom(kind))
            {
                var metadata = made.GetProperty("metadata");
                objects[$"{kind} {metadata.GetProperty("name").GetString()}"] =
                    Canonical(made.GetProperty("spec")) + Canonical(metadata.GetProperty("labels"));
            }
        }

        return objects;
    }

    private static string Canonical(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => $"{{{string.Join(',', value.EnumerateObject()
            .OrderBy(pair => pair.Name, StringComparer.Ordinal)
            .Select(pair => $"{pair.Name}:{Canonical(pair.Value)}"))}}}",
        JsonValueKind.Array => $"[{string.Join(',', value.EnumerateArray().Select(Canonical))}]",
        _ => value.GetRawText(),
    };
}
