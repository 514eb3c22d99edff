using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Herd.Inference.Kv;
using Herd.Inference.Kv.Offload;
using Herd.Inference.Runtime;
using Microsoft.Extensions.Logging;

namespace Herd.Inference.Generation;

/// <summary>
/// Computes many answers at once over one context. Its <see cref="EngineLoop"/> runs on a thread of its own, or in the
/// steps of a simulation. Thread-safe: each method posts its work to the loop.
/// </summary>
public sealed class Engine : IAsyncDisposable
{
    /// <summary>
    /// The longest wait for posted work while sequences wait. Then they are tried again, whatever was to be posted.
    /// </summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromMilliseconds(100);

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

    /// <summary>Starts the loop. The engine owns the context and disposes it.</summary>
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
        var disk = options.Kv.Disk is { } tier
            ? new DiskTier(tier, context.Layout, action => Post(action), time, logger)
            : null;
        _cache = new KvCache(
            context, new OffloadedSessions(options.Kv.HostBytes, disk, rates, time), rates, time, logger);
        _loop = new EngineLoop(context, vocabulary, _cache, rates, options, time, logger)
        {
            Finished = () => Interlocked.Decrement(ref _unfinished),
        };
        options.Runner.Start(this);
    }

    /// <summary>The load of the engine after the last step.</summary>
    public EngineLoad Load => _loop.Load;

    /// <summary>The time since <see cref="Load"/> was measured.</summary>
    public TimeSpan LoadAge => _time.GetElapsedTime(Load.At);

    /// <summary>Raised by the loop when a sequence began or ended. Handlers must not block.</summary>
    public event Action? LoadChanged
    {
        add => _loop.LoadChanged += value;
        remove => _loop.LoadChanged -= value;
    }

    /// <summary>Time since the engine was created.</summary>
    public TimeSpan Uptime => _time.GetElapsedTime(_started);

    /// <summary>The maximum number of tokens of a session, prompt and answer together.</summary>
    public int ContextTokens => _context.CellsPerSequence;

    /// <summary>Completes when the loop has ended. Faulted if an exception ended the loop.</summary>
    public Task Completion => _stopped.Task;

    /// <summary>
    /// Generates the answer to a prompt. When the caller cancels or stops enumerating, the slot is free within one
    /// step. The session keeps its KV cache.
    /// </summary>
    /// <exception cref="InvalidPromptException">The prompt has no tokens, or unknown ones.</exception>
    /// <exception cref="ContextOverflowException">The prompt leaves no room for an answer.</exception>
    /// <exception cref="EngineOverloadedException">The queue is full.</exception>
    /// <exception cref="EngineStoppedException">The engine is shutting down.</exception>
    /// <exception cref="EngineFailedException">The engine's loop failed.</exception>
    /// <exception cref="AnswerFailedException">This answer could not be sampled.</exception>
    /// <exception cref="DecodeException">The runtime could not compute a step.</exception>
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
        await using var wake = left.Token.UnsafeRegister(_ => WakeFor(sequence), state: null);
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

    /// <summary>Frees the KV cache of a session; while an answer is being computed for it, when that ends.</summary>
    public void Forget(string session) => Post(() => _loop.Forget(session));

    /// <summary>The sessions with a KV cache here, most recently used first. Empty if the engine has stopped.</summary>
    public Task<IReadOnlyList<SessionSummary>> Sessions() => Ask<IReadOnlyList<SessionSummary>>(
        result => result.TrySetResult(_loop.Transfer.Sessions()), otherwise: []);

    /// <summary>Copies the KV cache of a session. Waits until no answer is being computed for it.</summary>
    /// <returns>
    /// The copy, which the caller disposes. Null if the session has no KV cache here, or the caller cancelled.
    /// </returns>
    public async Task<SessionState?> Export(string session, CancellationToken cancellation)
    {
        await using var given = cancellation.Register(() => Post(_loop.Transfer.ServeRequests));
        return await Ask<SessionState?>(
            result => _loop.Transfer.Export(session, result, cancellation), otherwise: null);
    }

    /// <summary>Imports the KV cache of a session and replaces the one that is here.</summary>
    /// <param name="state">
    /// A state of this model and <see cref="Layout"/>. If imported, the engine owns its buffer.
    /// </param>
    /// <returns>False if an answer is being computed for the session, or the engine has stopped.</returns>
    public Task<bool> Import(SessionState state) =>
        Ask<bool>(result => result.TrySetResult(_loop.Transfer.TryImport(state)), otherwise: false);

    /// <summary>
    /// Time since the last step, or since the engine became busy. Zero if there is nothing to compute.
    /// </summary>
    public TimeSpan SinceLastStep => Volatile.Read(ref _unfinished) > 0
        ? _time.GetElapsedTime(Math.Max(_loop.LastStep, Volatile.Read(ref _busySince)))
        : TimeSpan.Zero;

    /// <summary>
    /// The layout of saved states. A state can be loaded only by the same model with an equal layout.
    /// </summary>
    public string Layout => _context.Layout;

    /// <summary>
    /// Runs the posted work, then computes one step. Only <see cref="EngineOptions.Runner"/> calls it.
    /// </summary>
    /// <param name="wait">The maximum time to wait for work, after idle sessions were offloaded.</param>
    /// <returns>False if the engine has ended.</returns>
    public bool Advance(TimeSpan wait)
    {
        Exception? fault = null;
        try
        {
            while (_mailbox.TryTake(out var action, WaitForWork(wait)))
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
    /// Ends the loop after the current step. Unfinished answers fail with <see cref="EngineStoppedException"/>. Idle
    /// sessions are written to disk if there is a disk tier.
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

    private TimeSpan WaitForWork(TimeSpan max) =>
        _loop.CanCompute || _cache.OffloadOne() ? TimeSpan.Zero
        : _loop.HasWaiting && (max > MaxWait || max == Timeout.InfiniteTimeSpan) ? MaxWait
        : max;

    /// <summary>Lets the loop notice that a sequence was cancelled, also while nothing computes.</summary>
    private void WakeFor(Sequence sequence)
    {
        if (!sequence.Over.IsCompleted)
        {
            Post(() => { });
        }
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

        _loop.Abort(fault is null ? new EngineStoppedException() : new EngineFailedException(fault));
        try
        {
            while (fault is null && _options.Kv.Disk is not null && _cache.OffloadOne())
            {
                // Offloads one idle session after the other.
            }

            _cache.Dispose();
        }
        catch (Exception e)
        {
            fault ??= e;
        }

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
