using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Grains.Hosting;
using Herd.Inference.Generation;
using Herd.Inference.Models;
using Herd.Inference.Runtime;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Nodes;

/// <summary>Owns what this node computes with: loads its model when the process starts, and unloads it at the end.</summary>
/// <param name="runtime">What loads it.</param>
/// <param name="options">What is served.</param>
/// <param name="cluster">Who this is.</param>
/// <param name="engines">What runs its engine.</param>
/// <param name="warmUp">What is done with a model, over the link given, before it takes work.</param>
/// <param name="time">What passes.</param>
/// <param name="loggers">Where to log.</param>
/// <param name="lifetime">The process's.</param>
internal sealed class NodeHost(
    ILlamaRuntime runtime,
    IOptions<NodeOptions> options,
    IOptions<ClusterOptions> cluster,
    IEngineRunner engines,
    Func<LoadedModel, string, CancellationToken, Task> warmUp,
    TimeProvider time,
    ILoggerFactory loggers,
    IHostApplicationLifetime lifetime) : BackgroundService
{
    private readonly ILogger _logger = loggers.CreateLogger<NodeHost>();
    private volatile LoadedModel? _model;
    private volatile float _loaded;
    private volatile bool _isWarm;
    private readonly CancellationTokenSource _left = new();
    private volatile bool _drains;
    private volatile bool _servesNothing;
    private volatile TaskCompletionSource<string> _replacement = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes at the next change of what <see cref="Report"/> says.</summary>
    public Task Changed => Volatile.Read(ref _changed).Task;

    public TimeSpan Heartbeat => options.Value.Heartbeat;

    public TimeSpan StreamInterval => options.Value.StreamInterval;

    /// <summary>Cancelled once nothing more is to be said or sent to others.</summary>
    public CancellationToken Left => _left.Token;

    public NodeReport Report() => new()
    {
        Node = cluster.Value.Name,
        State = _drains || lifetime.ApplicationStopping.IsCancellationRequested ? NodeState.Draining
            : _model is not { } loaded || !_isWarm ? _servesNothing ? NodeState.Ready : NodeState.Loading
            : IsStalled(loaded.Engine) ? NodeState.Stalled
            : NodeState.Ready,
        Link = Link,
        ProcessId = Environment.ProcessId,
        Runtime = runtime.Description,
        Loaded = _loaded,
        Models = _model is { } model ? [model.Describe()] : [],
    };

    /// <summary>Where this node's link is.</summary>
    public string Link => $"https://{cluster.Value.Address}:{cluster.Value.LinkPort}";

    /// <summary>The model that is loaded; null while there is none.</summary>
    public LoadedModel? Loaded => _model;

    /// <summary>Takes no new work from now on.</summary>
    public void BeginDrain()
    {
        _drains = true;
        SignalChange();
    }

    /// <summary>Takes work again, unless the process is about to end.</summary>
    public void CancelDrain()
    {
        _drains = false;
        SignalChange();
    }

    /// <summary>Serves another model from now on. What was here was moved, or is gone.</summary>
    /// <param name="model">As in <see cref="NodeOptions.Model"/>; empty serves none.</param>
    public void Replace(string model) => _replacement.TrySetResult(model);

    /// <exception cref="HerdException">There is no such model in the catalog, and no such file.</exception>
    public void Require(string model)
    {
        try
        {
            ModelCatalog.Read(options.Value.Catalog).Find(model);
        }
        catch (Exception e) when (e is ModelLoadException or InvalidDataException)
        {
            throw new HerdException(HerdError.ModelNotFound, e.Message, "model");
        }
    }

    /// <summary>Notes that nothing is left here that others need.</summary>
    public void EndDrain() => _left.Cancel();

    /// <exception cref="HerdException">The node does not serve the model, or not yet.</exception>
    public LoadedModel Model(string id) => _model is { } model && model.Id == id
        ? model
        : throw new HerdException(
            _model is null ? HerdError.Unavailable : HerdError.ModelNotFound,
            $"The node '{cluster.Value.Name}' does not serve the model '{id}'{(_model is null ? " yet" : "")}.",
            "model");

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (_model is { } model)
        {
            await model.DisposeAsync();
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Run(stoppingToken);

    /// <summary>Serves what there is to serve until the process ends.</summary>
    internal async Task Run(CancellationToken stoppingToken)
    {
        using var stopping = lifetime.ApplicationStopping.Register(SignalChange);
        try
        {
            // What it was started for it must be able to serve.
            var next = await Serve(options.Value.Model, stoppingToken);
            while (true)
            {
                next = await ServeInstead(next, stoppingToken);
            }
        }
        catch (Exception e) when (e is ModelLoadException or InvalidDataException)
        {
            NodeLog.CannotServe(_logger, e.Message);
            Environment.ExitCode = 3;
            lifetime.StopApplication();
        }
        catch (Exception e) when (!stoppingToken.IsCancellationRequested)
        {
            // A node whose engine is dead must not keep its sessions: leaving lets them go on elsewhere.
            NodeLog.CannotServe(_logger, $"the engine failed: {e.Message}");
            Environment.ExitCode = 4;
            lifetime.StopApplication();
        }
        catch (OperationCanceledException)
        {
            // The process is stopping.
        }
    }

    /// <summary>Serves a model that was asked for later; one that cannot be loaded leaves the node without any.</summary>
    private async Task<string> ServeInstead(string model, CancellationToken cancellation)
    {
        try
        {
            return model.Length > 0 ? await Serve(model, cancellation) : await ServeNothing(cancellation);
        }
        catch (Exception e) when (e is ModelLoadException or InvalidDataException)
        {
            NodeLog.CannotServe(_logger, e.Message);
            return await ServeNothing(cancellation);
        }
    }

    /// <summary>Loads a model and serves it.</summary>
    /// <returns>What is to be served instead, once that is asked for.</returns>
    private async Task<string> Serve(string id, CancellationToken cancellation)
    {
        _loaded = 0;
        var source = ModelCatalog.Read(options.Value.Catalog).Find(id);
        NodeLog.Loading(_logger, source.Id, source.Path);
        var started = time.GetTimestamp();
        var digest = await ModelHash.Verify(source, cancellation);
        var progress = new SynchronousProgress(share =>
        {
            _loaded = share;
            SignalChange();
        });
        var model = await Task.Run(
            () => LoadedModel.Load(
                runtime, source, options.Value, engines, time, loggers.CreateLogger<Engine>(), digest, progress, cancellation),
            cancellation);
        model.Engine.LoadChanged += SignalChange;
        _model = model;
        _loaded = 1;
        await warmUp(model, Link, cancellation);
        _isWarm = true;
        SignalChange();
        NodeLog.Loaded(_logger, model.Id, time.GetElapsedTime(started).TotalSeconds);
        var replaced = _replacement.Task;
        if (await Task.WhenAny(model.Engine.Completion, replaced).WaitAsync(cancellation) != replaced)
        {
            await model.Engine.Completion;
        }

        _model = null;
        _isWarm = false;
        await model.DisposeAsync();
        return await Replacement(cancellation);
    }

    private async Task<string> ServeNothing(CancellationToken cancellation)
    {
        _servesNothing = true;
        SignalChange();
        var next = await Replacement(cancellation);
        _servesNothing = false;
        SignalChange();
        return next;
    }

    private async Task<string> Replacement(CancellationToken cancellation)
    {
        var next = await _replacement.Task.WaitAsync(cancellation);
        _replacement = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        _drains = false;
        return next;
    }

    private bool IsStalled(Engine engine) => engine.SinceLastStep > options.Value.StepDeadline;

    private void SignalChange() => Interlocked.Exchange(
        ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();

    private sealed class SynchronousProgress(Action<float> report) : IProgress<float>
    {
        public void Report(float value) => report(value);
    }
}
