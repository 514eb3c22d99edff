namespace Herd.Simulator.Faults;

/// <summary>A process of the simulated cluster: what runs in it, and what can happen to it.</summary>
internal abstract class SimulatedProcess(string name, SiloAddress silo)
{
    private readonly Dictionary<string, Activation> _activations = [];
    private readonly TaskCompletionSource _gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _frozen;

    public string Name => name;

    public SiloAddress Silo => silo;

    /// <summary>Whether others can reach it, if only in time.</summary>
    public bool IsThere => !_gone.Task.IsCompleted;

    public bool IsFrozen => _frozen is not null;

    /// <summary>Completes when nobody reaches it any more.</summary>
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

    /// <summary>Gets through to it, which takes as long as it is frozen.</summary>
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

    /// <summary>Completes when it goes on; never for one that is gone.</summary>
    protected Task WhenThawed => _frozen is { } frozen && IsThere ? frozen.Task : new TaskCompletionSource().Task;

    /// <summary>Waits until it can do something, if it ever can.</summary>
    public abstract Task Alive();

    /// <summary>The activation of a grain here, begun if there is none.</summary>
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

    /// <summary>Makes a grain that lives on such processes.</summary>
    public abstract Grain Create(Type grain, IGrainContext context);

    public abstract TimeProvider Time { get; }

    public abstract IGrainFactory Grains { get; }
}
