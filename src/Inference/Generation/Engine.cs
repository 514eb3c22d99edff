using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Herd.Inference.Kv;
using Herd.Inference.Runtime;
using Microsoft.Extensions.Logging;

namespace Herd.Inference.Generation;

/// <summary>
/// Computes many answers at once over one context (<see cref="EngineLoop"/>), on a thread of its own or in the steps of a
/// simulation. Its methods can be called from any thread: what they ask for is posted to that loop.
/// </summary>
public sealed class Engine : IAsyncDisposable
{
    private readonly ILlamaContext _context;
    private readonly IVocabulary _vocabulary;
    private readonly EngineOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly KvCache _cache;
    private readonly EngineLoop _loop;
    private readonly BlockingCollection<Action> _mailbox = [];
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _started;
    private int _unfinished;
    private long _busySince;

    /// <summary>Starts the loop. The engine owns the context from now on.</summary>
    /// <exception cref="InvalidDataException">The folder for KV caches cannot be used.</exception>
    public Engine(
        ILlamaContext context, IVocabulary vocabulary, EngineOptions options, TimeProvider time, ILogger<Engine> logger)
    {
        _context = context;
        _vocabulary = vocabulary;
        _options = options;
        _time = time;
        _logger = logger;
        _started = time.GetTimestamp();
        var rates = new KvRates();
        var disk = options.Kv.Disk is { } tier ? new DiskTier(tier, context.Layout, action => Post(action), time, logger) : null;
        _cache = new KvCache(context, new OffloadedSessions(options.Kv.HostBytes, disk, rates, time), rates, time, logger);
        _loop = new EngineLoop(context, vocabulary, _cache, rates, options, time, logger)
        {
            Finished = () => Interlocked.Decrement(ref _unfinished),
        };
        options.Runner.Start(this);
    }

    /// <summary>How busy the engine is, as of the last step.</summary>
    public EngineLoad Load => _loop.Load;

    /// <summary>Raised by the loop when a sequence began or ended. Handlers return at once.</summary>
    public event Action? LoadChanged
    {
        add => _loop.LoadChanged += value;
        remove => _loop.LoadChanged -= value;
    }

    /// <summary>How long it has run.</summary>
    public TimeSpan Uptime => _time.GetElapsedTime(_started);

    /// <summary>Tokens that one session can hold.</summary>
    public int ContextTokens => _context.CellsPerSequence;

    /// <summary>Completes when the loop has ended; fails when it ended by a fault.</summary>
    public Task Completion => _stopped.Task;

    /// <summary>
    /// Generates the answer to a prompt. When the enumeration is cancelled or left, the slot is free within one step;
    /// the session keeps what was computed.
    /// </summary>
    /// <exception cref="ContextOverflowException">The prompt leaves no room for an answer.</exception>
    /// <exception cref="EngineOverloadedException">Too many requests wait.</exception>
    /// <exception cref="EngineStoppedException">The engine is shutting down.</exception>
    /// <exception cref="DecodeException">The runtime failed.</exception>
    public async IAsyncEnumerable<GenerationUpdate> Generate(
        GenerationRequest request, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var tokens = request.Prompt.Count + request.Produced.Count;
        if (tokens >= _context.CellsPerSequence && request.Produced.Count == 0)
        {
            throw new ContextOverflowException(tokens, _context.CellsPerSequence);
        }

        using var left = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var sequence = new Sequence(request, _vocabulary, _context.CellsPerSequence, _time, left.Token);
        try
        {
            if (!sequence.TryFinishAtOnce())
            {
                Submit(sequence);
            }

            var updates = new UpdateReader(sequence, request.Interval, _time);
            while (await updates.Next(cancellation) is { } update)
            {
                yield return update;
            }
        }
        finally
        {
            await left.CancelAsync();
        }
    }

    /// <summary>Frees the KV cache of a session, unless it is being extended.</summary>
    public void Forget(string session) => Post(() => _loop.Forget(session));

    /// <summary>The sessions whose KV cache is here, those used last first; none when the engine has stopped.</summary>
    public Task<IReadOnlyList<SessionSummary>> Sessions() => Ask<IReadOnlyList<SessionSummary>>(
        result => result.TrySetResult(_loop.Transfer.Sessions()), otherwise: []);

    /// <summary>Copies a session's KV cache, once no answer is computed for it.</summary>
    /// <returns>To be disposed; null when there is nothing of the session, or the caller gave up.</returns>
    public async Task<SessionState?> Export(string session, CancellationToken cancellation)
    {
        await using var given = cancellation.Register(() => Post(_loop.Transfer.ServeRequests));
        return await Ask<SessionState?>(result => _loop.Transfer.Export(session, result, cancellation), otherwise: null);
    }

    /// <summary>Takes in a session's KV cache in place of what there is of it.</summary>
    /// <param name="state">Of this model and layout. Its buffer belongs to the engine when it was taken.</param>
    /// <returns>False when an answer is computed for the session here, or the engine has stopped.</returns>
    public Task<bool> Import(SessionState state) =>
        Ask<bool>(result => result.TrySetResult(_loop.Transfer.TryImport(state)), otherwise: false);

    /// <summary>How long ago a step ended, while there is something to compute; zero while there is not.</summary>
    public TimeSpan SinceLastStep => Volatile.Read(ref _unfinished) > 0
        ? _time.GetElapsedTime(Math.Max(_loop.LastStep, Volatile.Read(ref _busySince)))
        : TimeSpan.Zero;

    /// <summary>What a saved state depends on besides the model's file.</summary>
    public string Layout => _context.Layout;

    /// <summary>Takes what was posted, then computes one step: what <see cref="EngineOptions.Runner"/> calls, and nobody else.</summary>
    /// <param name="wait">How long it may wait for something to do, once idle sessions have been offloaded.</param>
    /// <returns>False when the engine has ended.</returns>
    public bool Advance(TimeSpan wait)
    {
        Exception? fault = null;
        try
        {
            while (_mailbox.TryTake(out var action, _loop.CanCompute || _cache.OffloadOne() ? TimeSpan.Zero : wait))
            {
                action();
                _loop.Wake();
            }

            if (!_mailbox.IsAddingCompleted)
            {
                _loop.Step();
                return true;
            }
        }
        catch (Exception e)
        {
            fault = e;
            EngineLog.LoopFailed(_logger, e);
        }

        End(fault);
        return false;
    }

    /// <summary>
    /// Ends the loop after the step in progress. Answers in the making fail with <see cref="EngineStoppedException"/>; idle
    /// sessions are written to disk, if there is a disk tier.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (!_mailbox.IsAddingCompleted)
        {
            _mailbox.CompleteAdding();
        }

        await _stopped.Task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _context.Dispose();
    }

    private void Submit(Sequence sequence)
    {
        if (Volatile.Read(ref _unfinished) == 0)
        {
            Volatile.Write(ref _busySince, _time.GetTimestamp());
        }

        if (Interlocked.Increment(ref _unfinished) > _options.MaxQueued + _context.Sequences)
        {
            Interlocked.Decrement(ref _unfinished);
            throw new EngineOverloadedException(_options.MaxQueued);
        }

        if (!Post(() => _loop.Enqueue(sequence)))
        {
            throw new EngineStoppedException();
        }
    }

    private Task<T> Ask<T>(Action<TaskCompletionSource<T>> question, T otherwise)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!Post(() => question(answer)))
        {
            answer.SetResult(otherwise);
        }

        return answer.Task;
    }

    private bool Post(Action action)
    {
        try
        {
            _mailbox.Add(action);
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private void End(Exception? fault)
    {
        _mailbox.CompleteAdding();
        while (_mailbox.TryTake(out var action))
        {
            action();
        }

        _loop.Abort(fault ?? new EngineStoppedException());
        while (fault is null && _options.Kv.Disk is not null && _cache.OffloadOne())
        {
            // Until every idle session has been handed to the disk.
        }

        _cache.Dispose();
        if (fault is null)
        {
            _stopped.SetResult();
        }
        else
        {
            _stopped.SetException(fault);
        }
    }
}
