using Orleans.Core;
using Orleans.Timers;

namespace Herd.Simulator.Faults;

/// <summary>
/// A grain in memory, with what Orleans gives it: calls come one at a time, but for streams and grains that are
/// reentrant; it goes when it asked for that and nobody calls any more.
/// </summary>
internal sealed class Activation : IGrainContext, IServiceProvider, IGrainRuntime, ITimerRegistry
{
    private readonly Action _onEnd;
    private readonly SemaphoreSlim? _one;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _calls;
    private bool _isToEnd;

    public Activation(SimulatedProcess process, Type grain, string key, Action onEnd)
    {
        Process = process;
        _onEnd = onEnd;
        GrainId = GrainId.Create(grain.Name, key);
        Grain = process.Create(grain, this);
        var isReentrant = Attribute.IsDefined(Grain.GetType(), typeof(Orleans.Concurrency.ReentrantAttribute));
        _one = isReentrant ? null : new SemaphoreSlim(1);
    }

    public Grain Grain { get; }

    public SimulatedProcess Process { get; }

    /// <summary>Completes when it can be called; fails when it cannot be activated.</summary>
    public Task<Activation> Begun { get; private set; } = null!;

    public GrainId GrainId { get; }

    public object GrainInstance => Grain;

    public ActivationId ActivationId { get; }

    public IServiceProvider ActivationServices => this;

    public Task Deactivated => _ended.Task;

    public string SiloIdentity => Process.Name;

    public SiloAddress SiloAddress => Process.Silo;

    public IGrainFactory GrainFactory => Process.Grains;

    public ITimerRegistry TimerRegistry => this;

    public IServiceProvider ServiceProvider => this;

    public TimeProvider TimeProvider => Process.Time;

    public GrainReference GrainReference => throw new NotSupportedException();

    public GrainAddress Address => throw new NotSupportedException();

    public IGrainLifecycle ObservableLifecycle => throw new NotSupportedException();

    public IWorkItemScheduler Scheduler => throw new NotSupportedException();

    public void Begin() => Begun = Activated();

    /// <summary>Waits until the grain takes a call.</summary>
    /// <returns>Dispose when the call is over.</returns>
    public async Task<IDisposable> Enter(bool interleaves)
    {
        _calls++;
        if (_one is not null && !interleaves)
        {
            await _one.WaitAsync();
        }

        return new Call(this, interleaves);
    }

    public void Deactivate(DeactivationReason deactivationReason, CancellationToken cancellationToken = default)
    {
        _isToEnd = true;
        EndIfIdle();
    }

    public void DeactivateOnIdle(IGrainContext grainContext) => Deactivate(default);

    public object? GetService(Type serviceType) => serviceType.IsInstanceOfType(this) ? this : null;

    public IGrainTimer RegisterGrainTimer<TState>(
        IGrainContext grainContext,
        Func<TState, CancellationToken, Task> callback,
        TState state,
        GrainTimerCreationOptions options) =>
        new Timer(Process.Time.CreateTimer(
            _ => callback(state, CancellationToken.None), null, options.DueTime, options.Period));

    public bool Equals(IGrainContext? other) => ReferenceEquals(this, other);

    public object GetTarget() => Grain;

    public object? GetComponent(Type componentType) => null;

    public void SetComponent<TComponent>(TComponent? value)
        where TComponent : class => throw new NotSupportedException();

    public void ReceiveMessage(object message) => throw new NotSupportedException();

    public void Activate(Dictionary<string, object>? requestContext, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public void Rehydrate(IRehydrationContext context) => throw new NotSupportedException();

    public void Migrate(Dictionary<string, object>? requestContext, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public void DelayDeactivation(IGrainContext grainContext, TimeSpan timeSpan) => throw new NotSupportedException();

    public IStorage<TGrainState> GetStorage<TGrainState>(IGrainContext grainContext) =>
        throw new NotSupportedException();

    public IDisposable RegisterTimer(
        IGrainContext grainContext, Func<object?, Task> callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        throw new NotSupportedException();

    private async Task<Activation> Activated()
    {
        try
        {
            await Grain.OnActivateAsync(CancellationToken.None);
            return this;
        }
        catch
        {
            _onEnd();
            throw;
        }
    }

    private void Leave()
    {
        _calls--;
        EndIfIdle();
    }

    private void EndIfIdle()
    {
        if (_isToEnd && _calls == 0 && !_ended.Task.IsCompleted)
        {
            _ended.SetResult();
            _ = End();
        }
    }

    private async Task End()
    {
        await Grain.OnDeactivateAsync(default, CancellationToken.None).ConfigureAwait(
            ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        _onEnd();
    }

    private sealed class Call(Activation activation, bool interleaves) : IDisposable
    {
        public void Dispose()
        {
            if (!interleaves)
            {
                activation._one?.Release();
            }

            activation.Leave();
        }
    }

    private sealed class Timer(ITimer timer) : IGrainTimer
    {
        public void Change(TimeSpan dueTime, TimeSpan period) => timer.Change(dueTime, period);

        public void Dispose() => timer.Dispose();
    }
}
