using System.Runtime.InteropServices;
using Herd.Inference.Kv;
using Herd.Inference.Runtime;
using Microsoft.Extensions.Logging;

namespace Herd.Inference.Generation;

/// <summary>
/// The engine's loop, one step at a time: <b>schedule, decode, sample and publish, finish</b>. Used by one thread at a
/// time.
/// </summary>
internal sealed class EngineLoop
{
    /// <summary>The age at which the load is measured again while prompts are computed.</summary>
    private static readonly TimeSpan MaxLoadAge = TimeSpan.FromMilliseconds(100);

    private readonly ILlamaContext _context;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly KvCache _cache;
    private readonly KvRates _rates;
    private readonly StepTimes _times;
    private readonly Scheduler _scheduler;
    private readonly TokenBatch _batch;
    private readonly StepSampler _sampler;
    private readonly Fairness _fairness = new();
    private bool _stuck;

    public EngineLoop(
        ILlamaContext context,
        IVocabulary vocabulary,
        KvCache cache,
        KvRates rates,
        EngineOptions options,
        TimeProvider time,
        ILogger logger)
    {
        _context = context;
        _time = time;
        _logger = logger;
        _cache = cache;
        Transfer = new KvTransfer(cache, rates, time);
        _rates = rates;
        _times = new StepTimes(rates, options.MaxStepSlowdown);
        var speculation = options.Speculate ? new Speculation(_times, context.CellsPerSequence) : null;
        _scheduler = new Scheduler(cache, new SchedulingPolicy(options), _fairness, _times, speculation, time);
        _batch = new TokenBatch(context.BatchTokens);
        _sampler = new StepSampler(context, vocabulary, _batch, options.SamplingThreads);
        Load = Measure();
    }

    public EngineLoad Load { get; private set; }

    public event Action? LoadChanged;

    /// <summary>Exports and imports sessions.</summary>
    public KvTransfer Transfer { get; }

    /// <summary>
    /// The end of the last step that computed or had nothing to compute, as a timestamp. It stands still while a step
    /// hangs.
    /// </summary>
    public long LastStep { get; private set; }

    /// <summary>Called once for every sequence that ends.</summary>
    public required Action Finished { get; init; }

    /// <summary>True if there are sequences, and the last step computed some or new work was posted since.</summary>
    public bool CanCompute => !_scheduler.IsIdle && !_stuck;

    /// <summary>True if a sequence or a transfer waits, so that the loop must look again after a while.</summary>
    public bool HasWaiting => !_scheduler.IsIdle || Transfer.HasRequests;

    /// <summary>Signals that work was posted, so that waiting sequences and transfers are tried again.</summary>
    public void Wake()
    {
        _stuck = false;
        Transfer.ServeRequests();
    }

    public void Step()
    {
        DropCancelled();
        _scheduler.Admit();
        var step = _scheduler.Plan(_batch);

        // If the step is empty, every sequence waits for a slot, and for the disk: a sequence with a slot always has a
        // token to compute.
        _stuck = step.Count == 0;
        PublishLoad();
        var started = _time.GetTimestamp();
        if (!_stuck && TryDecode(step))
        {
            var produced = FinishStep(step, _sampler.Sample(step));
            RecordStep(step, produced, _time.GetElapsedTime(started));
        }

        if (!_stuck || _scheduler.Running == 0)
        {
            LastStep = _time.GetTimestamp();
        }

        Transfer.ServeRequests();
        PublishLoad();
    }

    public void Enqueue(Sequence sequence) => _scheduler.Enqueue(sequence);

    public void Forget(string session)
    {
        _cache.Forget(session);
        Load = Measure();
        LoadChanged?.Invoke();
    }

    /// <summary>Fails every unfinished answer.</summary>
    public void Abort(Exception reason)
    {
        foreach (var sequence in _scheduler.All().ToList())
        {
            Remove(sequence, reason);
        }

        Transfer.Abort();
        Load = Measure();
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
            var cached = sequence.Kv.Slot!.Tokens;
            cached.AddRange(CollectionsMarshal.AsSpan(sequence.Kv.Tokens).Slice(cached.Count, count));
        }

        return true;
    }

    /// <summary>Rolls back rejected draft tokens, and removes answers that are complete or failed.</summary>
    /// <returns>The number of tokens produced.</returns>
    private int FinishStep(IReadOnlyList<Scheduler.Share> step, ReadOnlySpan<StepSampler.Outcome> outcomes)
    {
        var produced = 0;
        for (var i = 0; i < step.Count; i++)
        {
            var (sequence, _, drafted, output) = step[i];
            var outcome = outcomes[i];
            produced += outcome.Produced;
            if (outcome.Fault is not null)
            {
                if (outcome.Fault is AnswerFailedException)
                {
                    EngineLog.AnswerFailed(_logger, outcome.Fault);
                }

                Discard(sequence, outcome.Fault);
                continue;
            }

            if (drafted > 0)
            {
                RollBackRejectedDrafts(sequence, _batch.Tokens.Slice(output + 1, drafted));
            }

            if (outcome.IsComplete)
            {
                Remove(sequence, fault: null);
            }
        }

        return produced;
    }

    /// <summary>Truncates the KV cache after the last accepted draft token and records the acceptance.</summary>
    private void RollBackRejectedDrafts(Sequence sequence, ReadOnlySpan<int> draftTokens)
    {
        var slot = sequence.Kv.Slot!;
        var known = slot.Tokens.Count;
        var accepted = CollectionsMarshal.AsSpan(sequence.Kv.Tokens)[known..].CommonPrefixLength(draftTokens);
        slot.Tokens.AddRange(draftTokens);
        _cache.Truncate(slot, known + accepted);
        sequence.AcceptanceRate.Record(accepted, rejected: accepted < draftTokens.Length);
    }

    private void Remove(Sequence sequence, Exception? fault)
    {
        _scheduler.Remove(sequence);
        Finished();
        if (fault is not null)
        {
            sequence.Fail(fault);
        }
    }

    /// <summary>Ends a sequence after a fault. The content of its cells is unknown, so they are cleared.</summary>
    private void Discard(Sequence sequence, Exception fault)
    {
        var slot = sequence.Kv.Slot!;
        Remove(sequence, fault);
        _cache.Clear(slot);
    }

    private void RecordStep(IReadOnlyList<Scheduler.Share> step, int produced, TimeSpan took)
    {
        int decoding = 0, draftTokens = 0, prefilled = 0;
        foreach (var (sequence, count, drafted, output) in step)
        {
            var decodes = count == 1 && output >= 0;
            decoding += decodes ? 1 : 0;
            draftTokens += drafted;
            prefilled += decodes ? 0 : count;
            _scheduler.Charge(sequence, decodes ? 0 : count, output >= 0 ? 1 : 0);
        }

        _times.Record(decoding, draftTokens, produced, _scheduler.Prefilling, prefilled, took);
    }

    private void PublishLoad()
    {
        if (_scheduler.Running != Load.Active || _scheduler.Waiting != Load.Queued
            || (_scheduler.Prefilling > 0 && _time.GetElapsedTime(Load.At) > MaxLoadAge))
        {
            Load = Measure();
            LoadChanged?.Invoke();
        }
    }

    /// <summary>Prompts that begin alike share what the first of them computes.</summary>
    private static void CountSharedPrefixesOnce(List<(Sequence Sequence, int Missing)> sequences)
    {
        var firsts = new Dictionary<(string Tenant, ulong Prefix), List<int>>();
        for (var i = 0; i < sequences.Count; i++)
        {
            var (sequence, missing) = sequences[i];
            var kv = sequence.Kv;
            if (missing > 0 && kv.Prefix != 0 && !firsts.TryAdd((kv.Tenant, kv.Prefix), kv.Tokens))
            {
                var shared = CollectionsMarshal.AsSpan(kv.Tokens)
                    .CommonPrefixLength(CollectionsMarshal.AsSpan(firsts[(kv.Tenant, kv.Prefix)]));
                sequences[i] = (sequence, Math.Min(missing, Math.Max(1, kv.Tokens.Count - shared)));
            }
        }
    }

    private EngineLoad Measure()
    {
        var slots = _cache.Slots.Where(slot => slot.Session is not null).ToList();
        var waiting = _scheduler.Queue;
        var missing = _cache.Missing(waiting.Select(sequence => sequence.Kv)).ToList();
        var sequences = _scheduler.InSlots.Select(sequence => (Sequence: sequence, Missing: sequence.PendingPrompt))
            .Concat(waiting.Zip(missing))
            .ToList();
        CountSharedPrefixesOnce(sequences);
        var decoding = _scheduler.InSlots.Count(sequence => sequence.PendingPrompt == 0);
        var prompts = slots.Select(slot => slot.Allocation?.Pending ?? 0)
            .Concat(missing)
            .Where(tokens => tokens > 1)
            .ToList();
        return new EngineLoad
        {
            Slots = _context.Sequences,
            Active = _scheduler.Running,
            Queued = _scheduler.Waiting,
            PrefillTokens = prompts.Sum(),
            PrefillSeconds = prompts.Sum(tokens => _times.PromptSeconds(_scheduler.Running, tokens)),
            ShortPromptSeconds = _times.PromptSeconds(_scheduler.Running, EngineLoad.ShortPromptTokens),
            PromptsRate = _times.PromptsRate(decoding, _scheduler.Running - decoding),
            StepSeconds = _times.PromptStepSeconds(decoding, _scheduler.Running - decoding, _context.BatchTokens),
            Tenants = TenantLoad.From(sequences, _fairness),
            At = _time.GetTimestamp(),
            Sessions = slots.Count,
            KvTokens = slots.Sum(slot => slot.Tokens.Count),
            KvCapacity = (long)_context.Sequences * _context.CellsPerSequence,
            OffloadedSessions = _cache.Offloaded.All.Count,
            HostBytes = _cache.Offloaded.HostBytes,
            DiskBytes = _cache.Offloaded.DiskBytes,
            BytesPerToken = _rates.BytesPerToken,
            PrefillRate = _rates.Prefill.PerSecond,
            PromptRate = _times.PromptRate(_scheduler.Running),
            DecodeRate = _times.Decode.PerSecond,
            RestoreRate = _rates.Restore.PerSecond,
            DiskRate = _rates.Read.PerSecond,
            DeviceKeptFor = _cache.KeptFor,
            HostKeptFor = _cache.Offloaded.HostKeptFor,
            DiskKeptFor = _cache.Offloaded.DiskKeptFor,
            ForgottenIdle = _cache.Offloaded.ForgottenIdle,
            Prefixes = [.. _cache.Prefixes.Distinct().Take(256)],
        };
    }
}
