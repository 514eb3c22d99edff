using System.Globalization;
using System.Text.Json;
using k8s;
using k8s.Models;

namespace Herd.Kubernetes.Tests;

/// <summary>
/// Objects of an overlay or the chart, read strictly: unknown fields, wrong types and duplicates are errors.
/// </summary>
internal sealed class Rendered
{
    /// <summary>Objects of other APIs, without types in Kubernetes' client.</summary>
    private static readonly Dictionary<string, Type> Types = new()
    {
        ["gateway.networking.k8s.io/v1/HTTPRoute"] = typeof(Dictionary<string, object>),
        ["gateway.networking.k8s.io/v1/GRPCRoute"] = typeof(Dictionary<string, object>),
        ["keda.sh/v1alpha1/ScaledObject"] = typeof(Dictionary<string, object>),
    };

    private readonly IReadOnlyList<object> _objects;

    private Rendered(IReadOnlyList<object> objects) => _objects = objects;

    public static async Task<Rendered> FromOverlay(string overlay) => Read(await Renderer.Overlay(overlay));

    public static Rendered Read(string yaml) => new(KubernetesYaml.LoadAllFromString(yaml, Types, strict: true));

    public IEnumerable<IKubernetesObject<V1ObjectMeta>> Objects => _objects.OfType<IKubernetesObject<V1ObjectMeta>>();

    public IEnumerable<T> All<T>() => _objects.OfType<T>();

    /// <summary>The untyped objects of a kind.</summary>
    public IReadOnlyList<JsonElement> Custom(string kind) =>
    [
        .. All<Dictionary<string, object>>().Where(made => (string)made["kind"] == kind)
            .Select(made => JsonSerializer.SerializeToElement(Plain(made))),
    ];

    /// <summary>The pods that workloads make: by the workload's name, their labels and specification.</summary>
    public IReadOnlyList<(string Name, V1PodTemplateSpec Pod)> Pods =>
    [
        .. All<V1Deployment>().Select(made => (made.Metadata.Name, made.Spec.Template)),
        .. All<V1StatefulSet>().Select(made => (made.Metadata.Name, made.Spec.Template)),
    ];

    /// <summary>An environment variable's literal value.</summary>
    public static string? Variable(V1Container container, string name) =>
        container.Env?.FirstOrDefault(variable => variable.Name == name)?.Value;

    /// <summary>Converts YAML's plain scalars to the JSON type that they look like.</summary>
    private static object? Plain(object? value) => value switch
    {
        IDictionary<object, object> map => map.ToDictionary(pair => (string)pair.Key, pair => Plain(pair.Value)),
        IDictionary<string, object> map => map.ToDictionary(pair => pair.Key, pair => Plain(pair.Value)),
        IEnumerable<object> list => list.Select(Plain).ToList(),
        string text when int.TryParse(text, CultureInfo.InvariantCulture, out var number) => number,
        _ => value,
    };

    public static bool Selects(V1LabelSelector selector, IDictionary<string, string> labels) =>
        (selector.MatchLabels ?? new Dictionary<string, string>()).All(
            pair => labels.TryGetValue(pair.Key, out var value) && value == pair.Value)
        && (selector.MatchExpressions ?? []).All(rule =>
            rule.OperatorProperty == "In" && labels.TryGetValue(rule.Key, out var value)
                && rule.Values.Contains(value));
}
