using System.Globalization;
using k8s.Models;

namespace Herd.Kubernetes.Tests.Pods;

/// <summary>
/// Keeps the wanted number of pods, and replaces pods of an older template within the bounds of the strategy.
/// </summary>
internal sealed class Workload
{
    private readonly Func<Workload, Pod> _newPod;
    private readonly Lock _lock = new();
    private readonly List<Pod> _pods = [];
    private readonly List<Task> _ending = [];
    private readonly int _maxSurge;
    private readonly int _maxUnavailable;

    /// <param name="name">Its name.</param>
    /// <param name="template">The template of its pods.</param>
    /// <param name="replicas">The wanted number of pods.</param>
    /// <param name="strategy">How pods are replaced.</param>
    /// <param name="newPod">Creates a pod of the present template.</param>
    public Workload(
        string name,
        V1PodTemplateSpec template,
        int replicas,
        V1RollingUpdateDeployment? strategy,
        Func<Workload, Pod> newPod)
    {
        (Name, Template, Replicas, _newPod) = (name, template, replicas, newPod);
        _maxSurge = Number(strategy?.MaxSurge) ?? 0;
        _maxUnavailable = Number(strategy?.MaxUnavailable) ?? 1;
    }

    public string Name { get; }

    public V1PodTemplateSpec Template { get; private set; }

    public int Revision { get; private set; } = 1;

    public int Replicas { get; set; }

    /// <summary>All pods since the start, ended ones included.</summary>
    public IReadOnlyList<Pod> Ever
    {
        get
        {
            lock (_lock)
            {
                return [.. _pods];
            }
        }
    }

    public IReadOnlyList<Pod> Live => [.. Ever.Where(pod => !pod.IsTerminating)];

    public IReadOnlyList<Pod> Ready => [.. Live.Where(pod => pod.IsReady)];

    /// <summary>
    /// True if the wanted number of pods is ready, all of the present template, and all replaced ones have ended.
    /// </summary>
    public bool IsReady => Ready.Count == Replicas && Live.Count == Replicas
        && Live.All(pod => pod.Revision == Revision) && Ever.All(pod => pod.HasEnded || !pod.IsTerminating);

    /// <summary>Changes the template. Existing pods are replaced.</summary>
    public void RollOut(Action<V1PodTemplateSpec> change)
    {
        var template = k8s.KubernetesYaml.Deserialize<V1PodTemplateSpec>(k8s.KubernetesYaml.Serialize(Template));
        change(template);
        lock (_lock)
        {
            Template = template;
            Revision++;
        }
    }

    /// <summary>Takes the next steps: starts, replaces and ends pods.</summary>
    public void Reconcile()
    {
        lock (_lock)
        {
            var live = _pods.Where(pod => !pod.IsTerminating).ToList();
            var old = live.Where(pod => pod.Revision != Revision).ToList();
            var room = Replicas + (old.Count > 0 ? _maxSurge : 0) - live.Count;
            var missing = Replicas - (live.Count - old.Count);
            for (var made = 0; made < Math.Min(room, missing); made++)
            {
                _pods.Add(_newPod(this));
            }

            foreach (var pod in Surplus(live, old))
            {
                _ending.Add(pod.Delete());
            }
        }
    }

    public async Task End(TimeSpan grace)
    {
        Replicas = 0;
        await Task.WhenAll(Live.Select(pod => pod.Delete(grace)));
        await Task.WhenAll(_ending);
    }

    /// <summary>The pods to end, unready ones first, then the youngest ready ones.</summary>
    private IEnumerable<Pod> Surplus(List<Pod> live, List<Pod> old)
    {
        if (old.Count == 0)
        {
            return live.OrderBy(pod => pod.IsReady).ThenByDescending(pod => pod.ReadySince).Take(live.Count - Replicas);
        }

        var spare = live.Count(pod => pod.IsReady) - (Replicas - _maxUnavailable);
        return old.Where(pod => !pod.IsReady).Concat(old.Where(pod => pod.IsReady).Take(Math.Max(0, spare)));
    }

    private static int? Number(IntOrString? value) =>
        value is null ? null : int.Parse(value.Value, CultureInfo.InvariantCulture);
}
