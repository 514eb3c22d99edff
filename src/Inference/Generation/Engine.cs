using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Herd.Inference.Runtime;
using Herd.Inference.Sampling;
using Microsoft.Extensions.Logging;

namespace Herd.Inference.Generation;

/// <summary>
/// Computes many answers at once over one context: one loop on one thread, <b>schedule, decode, sample, publish</b>.
/// Its methods can be called from any thread.
/// </summary>
public sealed class Engine : IAsyncDisposable
{
    private readonly ILlamaContext _context;
    private readonly IVocabulary _vocabulary;
    private readonly EngineOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly KvCache _cache;
    private readonly Scheduler _scheduler;
    private readonly TokenBatch _batch;
    private readonly Sampler _sampler;
    private readonly BlockingCollection<Action> _mailbox = [];
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _queued;

    /// <summary>Starts the loop. The engine owns the context from now on.</summary>
    public Engine(
        ILlamaContext context, IVocabulary vocabulary, EngineOptions options, TimeProvider time, ILogger<Engine> logger)
    {
        _context = context;
        _vocabulary = vocabulary;
        _options = options;
        _time = time;
        _logger = logger;
        _cache = new KvCache(context);
        _scheduler = new Scheduler(_cache);
        _batch = new TokenBatch(context.BatchTokens);
        _sampler = new Sampler(vocabulary.Count);
        Load = MeasureLoad();
        new Thread(Run) { Name = "herd engine", IsBackground = true }.Start();
    }

    /// <summary>How busy the engine is, as of the last step.</summary>
    public EngineLoad Load { get; private set; }

    /// <summary>Raised by the loop when a sequence began or ended. Handlers return at once.</summary>
    public event Action? LoadChanged;

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

            await foreach (var update in sequence.Updates.ReadAllAsync(cancellation))
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
    public void Forget(string session) => Post(() =>
    {
        _cache.Forget(session);
        NoteLoad();
    });

    /// <summary>Ends the loop after the step in progress. Answers in the making fail with <see cref="EngineStoppedException"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_mailbox.IsAddingCompleted)
        {
            _mailbox.CompleteAdding();
        }

        await _stopped.Task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _context.Dispose();
    }

    private void Run()
    {
        Exception? fault = null;
        try
        {
            while (Receive())
            {
                DropCancelled();
                _scheduler.Admit();
                if (_scheduler.Plan(_batch) is { Count: > 0 } step && TryDecode(step))
                {
                    Publish(step);
                }

                NoteLoad();
            }
        }
        catch (Exception e)
        {
            fault = e;
            EngineLog.LoopFailed(_logger, e);
        }

        End(fault);
    }

    /// <summary>Takes what was posted; waits for it only when there is nothing to compute.</summary>
    /// <returns>False when the engine is to stop.</returns>
    private bool Receive()
    {
        while (_mailbox.TryTake(out var action, _scheduler.IsIdle ? Timeout.Infinite : 0))
        {
            action();
        }

        return !_mailbox.IsAddingCompleted;
    }

    private void DropCancelled()
    {
        foreach (var sequence in _scheduler.Cancelled())
        {
            Remove(sequence, new OperationCanceledException(sequence.Cancellation));
        }
    }

    private bool TryDecode(IReadOnlyList<Scheduler.Share> step)
    {
        try
        {
            _context.Decode(_batch);
        }
        catch (DecodeException e)
        {
            EngineLog.StepFailed(_logger, e, _batch.Count, step.Count);
            foreach (var share in step)
            {
                Discard(share.Sequence, e);
            }

            return false;
        }

        foreach (var (sequence, count, _, _) in step)
        {
            var cached = sequence.Slot!.Tokens;
            cached.AddRange(CollectionsMarshal.AsSpan(sequence.Tokens).Slice(cached.Count, count));
        }

        return true;
    }

    private void Publish(IReadOnlyList<Scheduler.Share> step)
    {
        foreach (var (sequence, _, last, complete) in step)
        {
            try
            {
                if (complete && sequence.Advance(_context.Logits(last), _sampler))
                {
                    Remove(sequence, fault: null);
                }
            }
            catch (DecodeException e)
            {
                Discard(sequence, e);
            }
        }
    }

    private void Submit(Sequence sequence)
    {
        if (Interlocked.Increment(ref _queued) > _options.MaxQueued + _context.Sequences)
        {
            Interlocked.Decrement(ref _queued);
            throw new EngineOverloadedException(_options.MaxQueued);
        }

        if (!Post(() => _scheduler.Enqueue(sequence)))
        {
            throw new EngineStoppedException();
        }
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

    private void Remove(Sequence sequence, Exception? fault)
    {
        _scheduler.Remove(sequence);
        Interlocked.Decrement(ref _queued);
        if (fault is not null)
        {
            sequence.Fail(fault);
        }
    }

    /// <summary>Ends a sequence after a fault. What its cells hold is not known, so they are emptied.</summary>
    private void Discard(Sequence sequence, Exception fault)
    {
        Remove(sequence, fault);
        _cache.Clear(sequence.Slot!);
    }

    private void NoteLoad()
    {
        var load = MeasureLoad();
        var changed = load.Active != Load.Active || load.Queued != Load.Queued || load.Sessions != Load.Sessions;
        Load = load;
        if (changed)
        {
            LoadChanged?.Invoke();
        }
    }

    private EngineLoad MeasureLoad() => new(
        _context.Sequences,
        _scheduler.Running,
        _scheduler.Waiting,
        _cache.Slots.Count(s => s.Session is not null),
        _cache.Slots.Sum(s => s.Tokens.Count),
        _context.Sequences * _context.CellsPerSequence);

    private void End(Exception? fault)
    {
        _mailbox.CompleteAdding();
        while (_mailbox.TryTake(out var action))
        {
            action();
        }

        foreach (var sequence in _scheduler.All())
        {
            sequence.Fail(fault ?? new EngineStoppedException());
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
