using Herd.Inference.Generation;
using Herd.Inference.Kv;
using Herd.Inference.Kv.Offload;
using Herd.Inference.Runtime;
using Herd.Inference.Sampling;
using Microsoft.Extensions.Logging.Abstractions;

namespace Herd.Inference.Tests.Generation;

/// <summary>A loop under random requests, cancellations and faults, and what must hold after each step.</summary>
internal sealed class ProgressRun : IDisposable
{
    private const int Cells = 192;

    /// <summary>The longest time that a slot may be free while a sequence waits: for the disk or a neighbour.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(2);

    private readonly Random _random;
    private readonly FakeContext _fake;
    private readonly FaultyContext _context;
    private readonly FaultyDisk? _disk;
    private readonly KvCache _cache;
    private readonly EngineLoop _loop;
    private readonly List<Asked> _asked = [];
    private readonly List<TaskCompletionSource<SessionState?>> _exports = [];
    private readonly List<StateBuffer> _imported = [];
    private readonly Dictionary<string, List<int>> _histories = [];
    private readonly int _rarity;
    private int _begun;
    private int _finished;
    private long? _freeSince;

    public ProgressRun(int seed)
    {
        _random = new Random(seed);
        _fake = new FakeContext(_random.Next(1, 5), Cells, _random.Next(4, 64)) { IsHashing = true };
        _rarity = _random.Next(2) * _random.Next(5, 60);
        _context = new FaultyContext(_fake, _random) { Rarity = _rarity };
        var hostBytes = _random.Next(3) * 1500L;
        _disk = _random.Next(3) > 0 ? new FaultyDisk(6000, Time, _random) { Rarity = _rarity / 2 } : null;
        var rates = new KvRates();
        _cache = new KvCache(
            _context, new OffloadedSessions(hostBytes, _disk, rates, Time), rates, Time, NullLogger.Instance);
        var options = new EngineOptions
        {
            Quantum = _random.Next(1, 9),
            FairnessMargin = _random.Next(200),
            StarvationLimit = TimeSpan.FromSeconds(_random.Next(1, 4)),
            Speculate = _random.Next(2) == 0,
            SamplingThreads = 1,
        };
        _loop = new EngineLoop(
            _context, new ByteVocabulary(), _cache, rates, options, Time, NullLogger.Instance)
        {
            Finished = () => _finished++,
        };
    }

    private TimeProvider Time => _fake.Clock;

    private IEnumerable<Asked> Unfinished => _asked.Where(asked => !asked.Sequence.Over.IsCompleted);

    /// <summary>Does one thing that may happen to an engine, or nothing.</summary>
    public void Act()
    {
        switch (_random.Next(12))
        {
            case 0 or 1 or 2 when Unfinished.Count() < 3 * _fake.Sequences:
                Ask();
                break;
            case 3 when Unfinished.Any():
                // In any state: new, waiting, deferred, with a slot, preempted.
                Any(Unfinished).Cancel.Cancel();
                break;
            case 4:
                _loop.Forget(Session());
                break;
            case 5:
                Export();
                break;
            case 6:
                Import();
                break;
            case 7:
                Assert.Throws<InvalidPromptException>(() => New(Session(), []));
                break;
        }
    }

    public void Step()
    {
        var cancelled = Unfinished.Where(asked => asked.Cancel.IsCancellationRequested).ToList();
        _disk?.Serve();
        _loop.Wake();
        var before = Time.GetTimestamp();
        _loop.Step();
        if (Time.GetTimestamp() == before)
        {
            // A step without tokens: time goes on, as the engine's wait would let it.
            _fake.Clock.Advance(TimeSpan.FromMilliseconds(5));
        }

        Assert.All(cancelled, asked => Assert.True(asked.Sequence.Over.IsCompleted, "cancelled and not gone"));
        AssertNobodyWaitsForNothing();
        Check(_asked.Where(asked => asked.Sequence.Over.IsCompleted).ToList());
    }

    /// <summary>Nothing new is asked for, and faults go on for a while: every request ends.</summary>
    public void EndAll()
    {
        for (var steps = 0; Unfinished.Any(); steps++)
        {
            Assert.True(steps < 20_000, $"{Unfinished.Count()} requests do not end");
            Step();
        }

        _context.Rarity = 0;
        for (var reads = 0; reads <= _exports.Count && _exports.Exists(export => !export.Task.IsCompleted); reads++)
        {
            // An export may have waited for the room of another one.
            _disk?.LetGo();
            Step();
        }

        _disk?.LetGo();
        Step();
        Assert.Equal(_begun, _finished);
        Assert.Equal((0, 0), (_loop.Load.Active, _loop.Load.Queued));
        Assert.All(_exports, export => Assert.True(export.Task.IsCompleted, "an export is not answered"));
        AssertNothingIsHeld();
    }

    public void Dispose()
    {
        _loop.Abort(new EngineStoppedException());
        _cache.Dispose();
        _exports.ForEach(export => export.Task.Result?.Dispose());
        Assert.All(_context.States.Concat(_disk?.States ?? []).Concat(_imported), state => Assert.True(state.IsClosed));
    }

    private void Ask()
    {
        var session = Session();
        var history = _histories.GetValueOrDefault(session) ?? [.. Enumerable.Repeat(session[0] % 3, 40)];
        List<int> prompt = _random.Next(6) switch
        {
            0 => [_random.Next(256)],
            1 => [.. Enumerable.Repeat(ByteVocabulary.Control, _random.Next(1, 40))],
            2 => [.. history.Take(_random.Next(1, history.Count + 1))],
            _ => [.. history, .. Enumerable.Range(0, _random.Next(1, 60)).Select(_ => _random.Next(250))],
        };
        if (prompt.Count >= Cells)
        {
            _histories.Remove(session);
            return;
        }

        var asked = New(session, prompt);
        _asked.Add(asked);
        if (!asked.Sequence.TryFinishAtOnce())
        {
            _begun++;
            _loop.Enqueue(asked.Sequence);
        }
    }

    private Asked New(string session, List<int> prompt)
    {
        var cancel = new CancellationTokenSource();
        var request = new GenerationRequest
        {
            Session = session,
            Tenant = $"t{session[0] % 2}",
            Priority = _random.Next(3) == 0 ? Priority.Background : Priority.Interactive,
            Prompt = prompt,
            Produced = prompt.Count == 0 ? [] : Continue(prompt, _random.Next(4) == 0 ? _random.Next(6) : 0),
            MaxTokens = _random.Next(1, 50),
            Sampling = new SamplingOptions { Temperature = 0 },
        };
        return new Asked(
            request, new Sequence(request, new ByteVocabulary(), Cells, Time, cancel.Token), cancel);
    }

    private void Export()
    {
        var result = new TaskCompletionSource<SessionState?>();
        var cancelled = new CancellationToken(canceled: _random.Next(4) == 0);
        _exports.Add(result);
        _loop.Transfer.Export(Session(), result, cancelled);
    }

    private void Import()
    {
        var tokens = Enumerable.Range(0, _random.Next(1, 90)).Select(_ => _random.Next(250)).ToArray();
        var buffer = new StateBuffer(tokens.Length * sizeof(int));
        tokens.CopyTo(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, int>(buffer.From(0)));
        _imported.Add(buffer);
        using var state = new SessionState(Session(), "t0", 0, tokens, buffer);
        if (!_loop.Transfer.TryImport(state))
        {
            buffer.Dispose();
        }
    }

    /// <summary>Nobody waits while a slot is free, except briefly for the disk or a neighbour.</summary>
    private void AssertNobodyWaitsForNothing()
    {
        var busy = _cache.Slots.Where(slot => slot.Allocation is not null).ToList();
        Assert.Equal(_loop.Load.Active, busy.Count);
        Assert.All(busy, slot => Assert.True(slot.Allocation!.Pending > 0, "a sequence has nothing to compute"));
        var couldRun = Unfinished.Any(asked => asked.Sequence.Kv.Slot is null
            && !busy.Exists(slot => slot.Session == asked.Request.Session));
        if (!couldRun || busy.Count == _cache.Slots.Count)
        {
            _freeSince = null;
            return;
        }

        _freeSince ??= Time.GetTimestamp();
        Assert.True(Time.GetElapsedTime(_freeSince.Value) < MaxWait, "a sequence waits while a slot is free");
    }

    private void AssertNothingIsHeld()
    {
        Assert.All(_cache.Slots, slot => Assert.True(slot is { Allocation: null, Preempted: null }, "a slot is held"));
        var offloaded = _cache.Offloaded;
        Assert.Equal(0, offloaded.AwaitedBytes);
        Assert.All(offloaded.All, session => Assert.Equal(0, session.Waiters));
        Assert.Equal(offloaded.All.Where(session => session.State is not null).Sum(session => session.Bytes),
            offloaded.HostBytes);
        Assert.Equal(offloaded.All.Sum(session => session.FileBytes), offloaded.DiskBytes);
        Assert.True(offloaded.DiskBytes <= (_disk?.Capacity ?? 0));
        Assert.All(_cache.Slots, slot => Assert.Equal(slot.Tokens, _fake.TokensOf(slot.Id)));
    }

    /// <summary>The answers that ended are the model's, or their errors are typed.</summary>
    private void Check(List<Asked> ended)
    {
        foreach (var asked in ended)
        {
            var answer = asked.Request.Produced.ToList();
            var hasResult = false;
            while (asked.Sequence.Updates.TryRead(out var update))
            {
                answer.AddRange(update.Tokens);
                hasResult |= update.Result is not null;
            }

            Assert.Equal(Continue(asked.Request.Prompt, answer.Count), answer);
            var end = asked.Sequence.Updates.Completion;
            var fault = end.IsCanceled ? new OperationCanceledException() : end.Exception?.InnerException;
            Assert.True(hasResult == (fault is null), "an answer ended without a result or an error");
            Assert.True(
                fault is null or DecodeException or AnswerFailedException or OperationCanceledException,
                $"{fault}");
            if (hasResult)
            {
                _histories[asked.Request.Session] = [.. asked.Request.Prompt, .. answer];
            }

            _asked.Remove(asked);
            asked.Cancel.Dispose();
        }
    }

    private List<int> Continue(IReadOnlyList<int> prompt, int count)
    {
        List<int> tokens = [.. prompt];
        for (var i = 0; i < count; i++)
        {
            tokens.Add(_fake.Next(tokens));
        }

        return tokens[prompt.Count..];
    }

    private string Session() => $"{(char)('a' + _random.Next(3 * _fake.Sequences))}";

    private Asked Any(IEnumerable<Asked> asked) => asked.ElementAt(_random.Next(asked.Count()));

    private sealed record Asked(GenerationRequest Request, Sequence Sequence, CancellationTokenSource Cancel);
}
