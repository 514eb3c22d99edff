using System.Diagnostics;
using System.Globalization;
using Herd.Cli.Processes;
using Herd.Testing;
using k8s.Models;

namespace Herd.Kubernetes.Tests.Pods;

/// <summary>
/// Runs a rendered overlay with real processes on this machine. Each pod has its own address in 127.0.0.0/8, so ports
/// are those of the overlay. Services become the addresses of their pods, secrets become files.
/// </summary>
internal sealed class PodCluster : IAsyncDisposable
{
    public const string Node = "herd-node";
    public const string Gateway = "herd-gateway";
    private const string Store = "herd-store";
    private const string Key = "dev";
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);
    private static int _networks;

    private readonly string _folder = Directory.CreateTempSubdirectory("herd-pods-").FullName;
    private readonly Rendered _rendered;
    private readonly PreviousVersion? _previous;
    private readonly SecondZone? _zone;
    private readonly Dictionary<string, string> _overrides;
    private readonly Dictionary<string, Workload> _workloads;
    private readonly Dictionary<Pod, Cli.Gateway> _gateways = [];
    private readonly CancellationTokenSource _end = new();
    private readonly int _network = Interlocked.Increment(ref _networks);
    private readonly Task _reconciling;
    private int _made;

    private PodCluster(
        Rendered rendered, IReadOnlyDictionary<string, string> settings, PreviousVersion? previous, SecondZone? zone)
    {
        (_previous, _zone) = (previous, zone);
        _rendered = rendered;
        _overrides = new Dictionary<string, string>(settings)
        {
            ["Node__Model"] = TinyModel.Write(Path.Combine(_folder, "tiny.gguf")), ["Node__Threads"] = "1",
        };
        _workloads = rendered.All<V1StatefulSet>()
            .Select(set => new Workload(set.Metadata.Name, set.Spec.Template, set.Spec.Replicas ?? 1, null, NewPod))
            .Concat(rendered.All<V1Deployment>().Select(made => new Workload(
                made.Metadata.Name, made.Spec.Template, made.Spec.Replicas
                    ?? 1, made.Spec.Strategy.RollingUpdate, NewPod)))
            .ToDictionary(workload => workload.Name);
        _reconciling = Reconcile();
    }

    public Workload this[string workload] => _workloads[workload];

    /// <summary>All pods since the start.</summary>
    public IEnumerable<Pod> Ever => _workloads.Values.SelectMany(workload => workload.Ever);

    /// <summary>Runs the overlay dev with the tiny model, and waits until it is ready.</summary>
    /// <param name="settings">Environment variables beside the rendered ones.</param>
    /// <param name="previous">The version to begin with; null for this one.</param>
    /// <param name="zone">The zone of every second gateway and node; null if there is one zone.</param>
    public static async Task<PodCluster> Start(
        IReadOnlyDictionary<string, string>? settings = null, PreviousVersion? previous = null, SecondZone? zone = null)
    {
        var rendered = await Rendered.FromOverlay("dev");
        if (previous is not null)
        {
            rendered.Pods.ToList().ForEach(made => Retag(made.Pod, toPrevious: true));
        }

        var cluster = new PodCluster(rendered, settings ?? new Dictionary<string, string>(), previous, zone);
        await cluster.WaitUntilReady();
        return cluster;
    }

    /// <summary>True if a pod is in the other zone.</summary>
    public static bool InSecondZone(Pod pod) => pod.Address.StartsWith("10.207.2.", StringComparison.Ordinal);

    /// <summary>
    /// Replaces the pods of a workload by those of the previous version, or of this one, and waits for the end.
    /// </summary>
    public async Task Change(string workload, bool toPrevious)
    {
        this[workload].RollOut(template => Retag(template, toPrevious));
        await WaitUntilReady();
    }

    /// <summary>A gateway among the endpoints of the service. Waits while there is none.</summary>
    public Cli.Gateway GatewayAt(int number)
    {
        while (true)
        {
            var ready = this[Gateway].Ready;
            if (ready.Count > 0)
            {
                return GatewayOf(ready[number % ready.Count]);
            }

            Thread.Sleep(Tick);
        }
    }

    /// <summary>Waits until every workload has its wanted pods.</summary>
    public Task WaitUntilReady() => Until(() => _workloads.Values.All(workload => workload.IsReady));

    /// <summary>Waits until a condition holds.</summary>
    /// <exception cref="TimeoutException">The condition did not hold for two minutes. The message has the state of the
    /// pods.</exception>
    public async Task Until(Func<bool> holds)
    {
        for (var started = Stopwatch.GetTimestamp(); !holds(); await Task.Delay(
            Tick, TestContext.Current.CancellationToken))
        {
            if (Stopwatch.GetElapsedTime(started) > TimeSpan.FromMinutes(2))
            {
                throw new TimeoutException(
                    string.Join('\n', _workloads.Values.SelectMany(workload => workload.Live).Select(pod =>
                        $"{pod.Name} ({pod.Address}): ready {pod.IsReady}, {pod.Restarts} restarts; "
                        + Tail(pod.Log))));
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _reconciling;
        foreach (var name in new[] { Gateway, Node, Store })
        {
            await this[name].End(TimeSpan.FromSeconds(1));
        }

        foreach (var gateway in _gateways.Values)
        {
            gateway.Dispose();
        }

        foreach (var pod in Ever)
        {
            pod.Dispose();
        }

        _end.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private Cli.Gateway GatewayOf(Pod pod)
    {
        lock (_gateways)
        {
            return _gateways.TryGetValue(pod, out var known)
                ? known
                : _gateways[pod] = new Cli.Gateway(
                    new GatewayAddress($"http://{pod.Address}:8081", $"http://{pod.Address}:8082", Key), Key);
        }
    }

    private async Task Reconcile()
    {
        while (!_end.IsCancellationRequested)
        {
            // Without the store other processes end and are restarted. Another test shows that; here it only takes
            // time.
            this[Store].Reconcile();
            foreach (var workload in this[Store].Ready.Count > 0
                ? _workloads.Values.Where(workload => workload.Name != Store)
                : [])
            {
                workload.Reconcile();
            }

            await Task.Delay(Tick, _end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private Pod NewPod(Workload workload)
    {
        var number = ++_made;
        var name = string.Create(CultureInfo.InvariantCulture, $"{workload.Name}-{workload.Revision}-{number}");
        var isThere = _zone is not null && workload.Live.Count(InSecondZone) < workload.Live.Count / 2.0;
        var address = _zone is not null
            ? SecondZone.Address(isThere, number)
            : string.Create(CultureInfo.InvariantCulture, $"127.{_network}.{number / 250}.{(number % 250) + 1}");
        var fields = new Dictionary<string, string> { ["metadata.name"] = name, ["status.podIP"] = address };
        var setting = new PodSetting(Secret, AddressOf, Path.Combine(Repository.Root, "models"), _overrides, isThere
            ? _zone!.Enter
            : [], ProgramOf);
        var container = new Container(
            workload.Template.Spec, Directory.CreateDirectory(Path.Combine(_folder, name)).FullName, fields, setting);
        return new Pod(
            name,
            address,
            workload.Revision,
            container,
            TimeSpan.FromSeconds(workload.Template.Spec.TerminationGracePeriodSeconds ?? 30));
    }

    private static void Retag(V1PodTemplateSpec template, bool toPrevious)
    {
        var container = template.Spec.Containers.Single();
        container.Image = container.Image.Split(':')[0] + (toPrevious ? Container.PreviousTag : ":present");
    }

    private string ProgramOf(string project, bool isPrevious) =>
        isPrevious ? _previous!.Program(project) : Cli.HerdHome.Program(project);

    private Dictionary<string, string> Secret(string name) =>
        _rendered.All<V1Secret>()
            .Single(secret => secret.Metadata.Name == name).Data
            .ToDictionary(pair => pair.Key, pair => System.Text.Encoding.UTF8.GetString(pair.Value));

    private string? AddressOf(string service) =>
        _rendered.All<V1Service>().FirstOrDefault(made => made.Metadata.Name == service) is { } found
            ? _workloads.Values.Where(workload => Rendered.Selects(
                new V1LabelSelector { MatchLabels = found.Spec.Selector }, workload.Template.Metadata.Labels))
                .SelectMany(workload => workload.Ready).FirstOrDefault()?.Address
            : null;

    private static string Tail(string log) => log.Length > 2000 ? log[^2000..] : log;
}
