using System.Globalization;
using k8s.Models;

namespace Herd.Kubernetes.Tests.Pods;

/// <summary>Keeps as many pods of a template as there should be, and replaces those of an older one within the bounds of the strategy.</summary>
internal sealed class Workload
{
    private readonly Func<Workload, Pod> _newPod;
    private readonly Lock _lock = new();
    private readonly List<Pod> _pods = [];
    private readonly List<Task> _ending = [];
    private readonly int _maxSurge;
    private readonly int _maxUnavailable;

    /// <param name="name">Its name.</param>
    /// <param name="template">What its pods are.</param>
    /// <param name="replicas">How many there should be.</param>
    /// <param name="strategy">How they are replaced.</param>
    /// <param name="newPod">Makes one of the present template.</param>
    public Workload(string name, V1PodTemplateSpec template, int replicas, V1RollingUpdateDeployment? strategy, Func<Workload, Pod> newPod)
    {
        (Name, Template, Replicas, _newPod) = (name, template, replicas, newPod);
        _maxSurge = Number(strategy?.MaxSurge) ?? 0;
        _maxUnavailable = Number(strategy?.MaxUnavailable) ?? 1;
    }

    public string Name { get; }

    public V1PodTemplateSpec Template { get; private set; }

    public int Revision { get; private set; } = 1;

    public int Replicas { get; set; }

    /// <summary>All pods there were, those that ended too.</summary>
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

    /// <summary>As many as there should be, all of the present template and ready, and nothing of what was replaced is left.</summary>
    public bool IsSettled => Ready.Count == Replicas && Live.Count == Replicas && Live.All(pod => pod.Revision == Revision) && Ever.All(pod => pod.HasEnded || !pod.IsTerminating);

    /// <summary>Makes pods differently from now on; those there are are replaced.</summary>
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

    /// <summary>Does what is due.</summary>
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

    /// <summary>Those that are to go: what is not ready first, then what was ready last.</summary>
    private IEnumerable<Pod> Surplus(List<Pod> live, List<Pod> old)
    {
        if (old.Count == 0)
        {
            return live.OrderBy(pod => pod.IsReady).ThenByDescending(pod => pod.ReadySince).Take(live.Count - Replicas);
        }

        var spare = live.Count(pod => pod.IsReady) - (Replicas - _maxUnavailable);
        return old.Where(pod => !pod.IsReady).Concat(old.Where(pod => pod.IsReady).Take(Math.Max(0, spare)));
    }

    private static int? Number(IntOrString? value) => value is null ? null : int.Parse(value.Value, CultureInfo.InvariantCulture);
}
