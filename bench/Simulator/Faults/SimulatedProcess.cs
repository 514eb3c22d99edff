namespace Herd.Simulator.Faults;

/// <summary>A process of the simulated cluster, its grains and its faults.</summary>
internal abstract class SimulatedProcess(string name, SiloAddress silo)
{
    private readonly Dictionary<string, Activation> _activations = [];
    private readonly TaskCompletionSource _gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _frozen;

    public string Name => name;

    public SiloAddress Silo => silo;

    /// <summary>True if others can reach it, now or after a thaw.</summary>
    public bool IsThere => !_gone.Task.IsCompleted;

    public bool IsFrozen => _frozen is not null;

    /// <summary>Completes when it cannot be reached any more.</summary>
    public Task Gone => _gone.Task;

    public void Lose()
    {
        _gone.TrySetResult();
        Thaw();
    }

    public void Freeze() => _frozen ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Thaw()
    {
        var frozen = _frozen;
        _frozen = null;
        frozen?.SetResult();
    }

    /// <summary>Reaches the process. Waits while it is frozen.</summary>
    /// <exception cref="SiloUnavailableException">It is gone.</exception>
    public async Task Reach()
    {
        while (_frozen is { } frozen)
        {
            await frozen.Task;
        }

        if (!IsThere)
        {
            throw new SiloUnavailableException($"{name} is gone.");
        }
    }

    /// <summary>Completes when it continues; never if it is gone.</summary>
    protected Task WhenThawed => _frozen is { } frozen && IsThere ? frozen.Task : new TaskCompletionSource().Task;

    /// <summary>Waits until it can run; for ever if it is gone.</summary>
    public abstract Task Alive();

    /// <summary>The activation of a grain in this process. It is created if there is none.</summary>
    public Task<Activation> Activate(Type grain, string key, Action onEnd)
    {
        var id = $"{grain.Name}/{key}";
        if (!_activations.TryGetValue(id, out var activation))
        {
            _activations[id] = activation = new Activation(this, grain, key, () =>
            {
                _activations.Remove(id);
                onEnd();
            });
            activation.Begin();
        }

        return activation.Begun;
    }

    /// <summary>Makes a grain that lives on this kind of process.</summary>
    public abstract Grain Create(Type grain, IGrainContext context);

    public abstract TimeProvider Time { get; }

    public abstract IGrainFactory Grains { get; }
}
