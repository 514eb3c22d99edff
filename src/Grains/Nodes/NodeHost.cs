using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Grains.Conversations.Storage.Encryption;
using Herd.Grains.Hosting;
using Herd.Grains.Hosting.Configuration;
using Herd.Inference.Generation;
using Herd.Inference.Kv.Snapshots;
using Herd.Inference.Models;
using Herd.Inference.Models.Probing;
using Herd.Inference.Runtime;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Nodes;

/// <summary>Has this node's model: loads it when the process starts, replaces it, and unloads it at the end.</summary>
/// <param name="runtime">The runtime that loads the model.</param>
/// <param name="options">The options of the node.</param>
/// <param name="cluster">The node's name and addresses.</param>
/// <param name="probe">Has a child process open a file before this one does.</param>
/// <param name="engines">Runs the model's engine.</param>
/// <param name="warmUp">Warms a loaded model up, over the node's own link, before it takes work.</param>
/// <param name="time">The clock.</param>
/// <param name="loggers">Makes loggers.</param>
/// <param name="lifetime">The lifetime of the process.</param>
internal sealed class NodeHost(
    ILlamaRuntime runtime,
    IOptions<NodeOptions> options,
    IOptions<ClusterOptions> cluster,
    ModelProbe probe,
    IEngineRunner engines,
    Func<LoadedModel, string, CancellationToken, Task> warmUp,
    TimeProvider time,
    ILoggerFactory loggers,
    IHostApplicationLifetime lifetime) : BackgroundService
{
    private const int MaxFailure = 1000;

    private readonly ILogger _logger = loggers.CreateLogger<NodeHost>();
    private readonly CancellationTokenSource _left = new();
    private volatile NodePhase _phase = new NodePhase.Loading(0)
    {
        Load = new ModelLoad { Number = 1, Model = "", Stage = LoadStage.Loading, Since = time.GetUtcNow() },
    };

    private volatile TaskCompletionSource<string> _replacement = NewReplacement();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes at the next change of <see cref="Report"/>.</summary>
    public Task Changed => Volatile.Read(ref _changed).Task;

    public TimeSpan Heartbeat => options.Value.Heartbeat;

    public TimeSpan StreamInterval => options.Value.StreamInterval;

    /// <summary>Cancelled once this node has nothing more to report or send.</summary>
    public CancellationToken Left => _left.Token;

    public NodeReport Report()
    {
        var phase = _phase;
        return new NodeReport
        {
            Node = cluster.Value.Name,
            State = phase.State(lifetime.ApplicationStopping.IsCancellationRequested, options.Value.StepDeadline),
            Link = Link,
            ProcessId = Environment.ProcessId,
            Runtime = runtime.Description,
            Loaded = phase.Progress,
            Models = phase.Model is { } model ? [model.Describe()] : [],
            Load = phase.Load,
        };
    }

    /// <summary>The address of this node's link.</summary>
    public string Link => $"https://{cluster.Value.Address}:{cluster.Value.LinkPort}";

    /// <summary>The model that is loaded; null if there is none.</summary>
    public LoadedModel? Loaded => _phase.Model;

    /// <summary>Takes no new work from now on.</summary>
    public void BeginDrain()
    {
        SetDraining(true);
        SignalChange();
    }

    /// <summary>Takes work again, unless the process is about to end.</summary>
    public void CancelDrain()
    {
        SetDraining(false);
        SignalChange();
    }

    /// <summary>Serves another model from now on. The sessions of the old one migrated, or are lost.</summary>
    /// <param name="model">As in <see cref="NodeOptions.Model"/>; empty if the node is to serve none.</param>
    public void Replace(string model) => _replacement.TrySetResult(model);

    /// <summary>Begins a load with its first stage, the check. The node serves as before.</summary>
    /// <exception cref="HerdException">Another load is not over, or the node takes no work.</exception>
    public void BeginLoad(string model)
    {
        var before = _phase;
        var next = new ModelLoad
        {
            Number = before.Load!.Number + 1, Model = model, Stage = LoadStage.Checking, Since = time.GetUtcNow(),
        };
        if (!before.Load.IsOver
            || Report().State is not NodeState.Ready
            || Interlocked.CompareExchange(ref _phase, before with { Load = next }, before) != before)
        {
            throw new HerdException(HerdError.Unavailable, "The node is loading or draining. Try again later.")
                .RetryAfter(TimeSpan.FromSeconds(5));
        }

        SignalChange();
    }

    /// <summary>Records the stage of the present load.</summary>
    public void SetStage(LoadStage stage, string? failure = null)
    {
        Change(phase => phase with { Load = Staged(phase.Load!, stage, failure) });
        SignalChange();
    }

    /// <summary>Ends the reports: no other node needs anything of this one any more.</summary>
    public void EndDrain() => _left.Cancel();

    /// <exception cref="HerdException">The node does not serve the model, or not yet.</exception>
    public LoadedModel Model(string id)
    {
        var model = _phase.Model;
        return model?.Id == id
            ? model
            : throw new HerdException(
                model is null ? HerdError.Unavailable : HerdError.ModelNotFound,
                $"The node '{cluster.Value.Name}' does not serve the model '{id}'"
                + (model is null ? " yet. Try again later." : ". List the nodes to see their models."),
                "model");
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (_phase.Model is { } model)
        {
            await model.DisposeAsync();
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Run(stoppingToken);

    /// <summary>Serves one model after another until the process ends.</summary>
    internal async Task Run(CancellationToken stoppingToken)
    {
        using var stopping = lifetime.ApplicationStopping.Register(SignalChange);
        try
        {
            // The process ends if its first model cannot be loaded.
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
            // The process ends if the engine fails, so that its sessions resume on other nodes.
            NodeLog.CannotServe(_logger, $"the engine failed: {e.Message}");
            Environment.ExitCode = 4;
            lifetime.StopApplication();
        }
        catch (OperationCanceledException)
        {
            // The process is stopping.
        }
    }

    /// <summary>Serves a later model. The node serves none if it cannot be loaded.</summary>
    private async Task<string> ServeInstead(string model, CancellationToken cancellation)
    {
        try
        {
            return model.Length > 0 ? await Serve(model, cancellation) : await ServeNothing(cancellation);
        }
        catch (Exception e) when (e is ModelLoadException or InvalidDataException)
        {
            NodeLog.CannotServe(_logger, e.Message);
            return await ServeNothing(cancellation, e.Message);
        }
    }

    /// <summary>Loads a model and serves it.</summary>
    /// <returns>The model to serve next, once one was asked for.</returns>
    private async Task<string> Serve(string id, CancellationToken cancellation)
    {
        Enter(new NodePhase.Loading(0));
        var source = ModelCatalog.Read(options.Value.Catalog).Find(id);
        Change(phase => phase with { Load = Staged(phase.Load!, LoadStage.Loading) with { Model = source.Id } });
        SignalChange();
        NodeLog.Loading(_logger, source.Id, source.Path);
        var started = time.GetTimestamp();
        var identity = FileIdentity.Read(source.Path);
        var digest = await ModelHash.Verify(source, cancellation);

        // At the start of a process the catalog's digest is trusted: nothing is lost but the start. A model that is
        // loaded later was probed by its check.
        if (source.Sha256 is null)
        {
            await probe.Require(source.Path, digest, cancellation);
        }

        identity.RequireSame(source.Path);
        var progress = new SynchronousProgress(share => Enter(new NodePhase.Loading(share)));
        var model = await Task.Run(
            () => LoadedModel.Load(
                runtime,
                source,
                options.Value,
                engines,
                time,
                loggers.CreateLogger<Engine>(),
                digest,
                StorageKeys.Read(cluster.Value.StorageKeysFile).ForKvCaches,
                progress,
                cancellation),
            cancellation);
        probe.SetPassed(digest);
        model.Engine.LoadChanged += SignalChange;
        Enter(new NodePhase.WarmingUp(model));
        await lifetime.UntilStarted(cancellation);
        await warmUp(model, Link, cancellation);
        Enter(new NodePhase.Serving(model), LoadStage.Served);
        NodeLog.Loaded(_logger, model.Id, time.GetElapsedTime(started).TotalSeconds);
        var replaced = _replacement.Task;
        if (await Task.WhenAny(model.Engine.Completion, replaced).WaitAsync(cancellation) != replaced)
        {
            await model.Engine.Completion;
        }

        Enter(new NodePhase.Loading(1));
        await model.DisposeAsync();
        return await Replacement(cancellation);
    }

    /// <param name="cancellation">The end of the process.</param>
    /// <param name="failure">The reason why the load failed; null if the model was unloaded.</param>
    private async Task<string> ServeNothing(CancellationToken cancellation, string? failure = null)
    {
        // Nothing follows deletions in files that no engine has.
        KvFiles.DeleteAll(options.Value.SnapshotFolder);
        Enter(
            new NodePhase.Idle(_phase.Progress), failure is null ? LoadStage.Served : LoadStage.Failed, failure);
        var next = await Replacement(cancellation);
        Enter(new NodePhase.Loading(_phase.Progress));
        return next;
    }

    private async Task<string> Replacement(CancellationToken cancellation)
    {
        var next = await _replacement.Task.WaitAsync(cancellation);
        _replacement = NewReplacement();
        SetDraining(false);
        return next;
    }

    /// <summary>Replaces the phase; the node drains on if it drained.</summary>
    private void Enter(NodePhase next)
    {
        Change(phase => next with { IsDraining = phase.IsDraining, Load = phase.Load });
        SignalChange();
    }

    /// <summary>As above, with the stage of the load that changes with the phase.</summary>
    private void Enter(NodePhase next, LoadStage stage, string? failure = null)
    {
        Change(phase => next with { IsDraining = phase.IsDraining, Load = Staged(phase.Load!, stage, failure) });
        SignalChange();
    }

    private ModelLoad Staged(ModelLoad load, LoadStage stage, string? failure = null) => load with
    {
        Stage = stage,
        Since = time.GetUtcNow(),
        Failure = failure?.Length > MaxFailure ? failure[..MaxFailure] + "..." : failure,
    };

    private void SetDraining(bool isDraining) => Change(phase => phase with { IsDraining = isDraining });

    private void Change(Func<NodePhase, NodePhase> next)
    {
        NodePhase before;
        do
        {
            before = _phase;
        }
        while (Interlocked.CompareExchange(ref _phase, next(before), before) != before);
    }

    private static TaskCompletionSource<string> NewReplacement() =>
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void SignalChange() => Interlocked.Exchange(
        ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();

    private sealed class SynchronousProgress(Action<float> report) : IProgress<float>
    {
        public void Report(float value) => report(value);
    }
}
