using System.Diagnostics;
using System.Globalization;
using Herd.Testing;

namespace Herd.Kubernetes.Tests.Pods;

/// <summary>
/// The life of a pod under a kubelet: started, probed, restarted after it ended, with growing pauses. Its end: preStop,
/// SIGTERM, and SIGKILL when the grace period is over.
/// </summary>
internal sealed class Pod : IDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);

    /// <summary>The time that a kubelet gives after SIGTERM when preStop has used up the grace period.</summary>
    private static readonly TimeSpan MinAfterSignal = TimeSpan.FromSeconds(2);

    private readonly Container _container;
    private readonly TimeSpan _grace;
    private readonly CancellationTokenSource _deleted = new();
    private readonly Task _running;
    private readonly List<Process> _processes = [];
    private volatile Process? _process;

    public Pod(string name, string address, int revision, Container container, TimeSpan grace)
    {
        (Name, Address, Revision, _container, _grace) = (name, address, revision, container, grace);
        _running = Run();
    }

    public string Name { get; }

    public string Address { get; }

    /// <summary>The version of the template that it was created from.</summary>
    public int Revision { get; }

    /// <summary>The timestamp since which it is ready; 0 while it is not.</summary>
    public long ReadySince { get; private set; }

    public bool IsReady => ReadySince > 0;

    public bool IsTerminating => _deleted.IsCancellationRequested;

    public bool HasEnded => _running.IsCompleted;

    /// <summary>The number of restarts.</summary>
    public int Restarts { get; private set; }

    /// <summary>True if the grace period was over before the process ended.</summary>
    public bool WasKilled { get; private set; }

    public string Log => File.Exists(_container.Log) ? File.ReadAllText(_container.Log) : "";

    public void Dispose()
    {
        _deleted.Dispose();
        _processes.ForEach(process => process.Dispose());
    }

    /// <summary>Ends the pod. Completes when its process has ended.</summary>
    /// <param name="grace">The grace period; null for that of the template.</param>
    /// <param name="isTwice">True to send SIGTERM a second time.</param>
    public async Task Delete(TimeSpan? grace = null, bool isTwice = false)
    {
        await _deleted.CancelAsync();
        ReadySince = 0;
        var started = Stopwatch.GetTimestamp();
        var given = grace ?? _grace;
        await Task.Delay(_container.PreStop < given ? _container.PreStop : given);
        if (_process is { HasExited: false } process)
        {
            var id = process.Id.ToString(CultureInfo.InvariantCulture);
            await Tool.Run("/", "kill", "-TERM", id);
            if (isTwice)
            {
                // An idle process may have ended after the first signal.
                await Tool.Run("/", "sh", "-c", $"kill -TERM {id} || true");
            }

            var left = given - Stopwatch.GetElapsedTime(started);
            using var timeout = new CancellationTokenSource(left > MinAfterSignal ? left : MinAfterSignal);
            await process.WaitForExitAsync(timeout.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            WasKilled = !process.HasExited;
            process.Kill();
        }

        await _running;
    }

    /// <summary>The machine is lost. The process gets no signal.</summary>
    public async Task Lose()
    {
        await _deleted.CancelAsync();
        ReadySince = 0;
        _process?.Kill();
        await _running;
    }

    private async Task Run()
    {
        var pause = FirstPause;
        while (!IsTerminating)
        {
            var process = _container.Start();
            _processes.Add(process);
            _process = process;
            using var probing = new CancellationTokenSource();
            var probes = Probe(process, probing.Token);
            await process.WaitForExitAsync();
            ReadySince = 0;
            await probing.CancelAsync();
            await probes;
            _process = null;
            if (!IsTerminating)
            {
                Restarts++;
                await Task.Delay(pause, _deleted.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
        }
    }

    private async Task Probe(Process process, CancellationToken end)
    {
        if (_container.Startup is { } startup)
        {
            using var started = CancellationTokenSource.CreateLinkedTokenSource(end);
            await new Probe(startup, Address, _container.Port).Run(
                answer =>
                {
                    KillUnless(answer);
                    started.Cancel();
                },
                started.Token);
        }

        var ready = _container.Readiness is { } readiness
            ? new Probe(readiness, Address, _container.Port).Run(SetReady, end)
            : Task.CompletedTask;
        var alive = _container.Liveness is { } liveness
            ? new Probe(liveness, Address, _container.Port).Run(KillUnless, end)
            : Task.CompletedTask;
        await Task.WhenAll(ready, alive);

        void KillUnless(bool isWell)
        {
            if (!isWell)
            {
                process.Kill();
            }
        }

        void SetReady(bool isReady) =>
            ReadySince = !isReady || IsTerminating ? 0 : IsReady ? ReadySince : Stopwatch.GetTimestamp();
    }
}
