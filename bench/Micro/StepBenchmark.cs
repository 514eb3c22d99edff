using BenchmarkDotNet.Attributes;
using Herd.Inference.Generation;
using Herd.Inference.Kv;
using Herd.Inference.Kv.Offload;
using Herd.Inference.Runtime;
using Herd.Inference.Sampling;
using Herd.Inference.Simulated;
using Microsoft.Extensions.Logging.Abstractions;

namespace Herd.Micro;

/// <summary>
/// The cost of a step without the model: 16 sequences decode while others wait. The runtime's time is excluded.
/// </summary>
[MemoryDiagnoser]
public class StepBenchmark
{
    private const int Slots = 16;
    private const int Steps = 100;

    private EngineLoop _loop = null!;

    [Params(0, 16, 256)]
    public int Waiting { get; set; }

    [IterationSetup]
    public void Setup()
    {
        var time = TimeProvider.System;
        var model = new SimulatedRuntime(new SimulatedTimings { Speed = 1e12 }, time)
            .Load("", new ModelOptions(), null, CancellationToken.None);
        var context = model.CreateContext(new ContextOptions { Sequences = Slots, CellsPerSequence = 1024 });
        var rates = new KvRates();
        var offloaded = new OffloadedSessions(1 << 30, null, rates, time);
        var cache = new KvCache(context, offloaded, rates, time, NullLogger.Instance);
        var options = new EngineOptions { Quantum = int.MaxValue, Speculate = false, SamplingThreads = 1 };
        _loop = new EngineLoop(context, model.Vocabulary, cache, rates, options, time, NullLogger.Instance)
        {
            Finished = () => { },
        };
        for (var i = 0; i < Slots + Waiting; i++)
        {
            var request = new GenerationRequest
            {
                Session = $"s{i}",
                Tenant = $"tenant-{i % 4}",
                Prompt = [.. Enumerable.Range(0, 200).Select(k => 'a' + ((i + k) % 26))],
                Sampling = new SamplingOptions { Temperature = 0, IgnoreEnd = true },
            };
            _loop.Enqueue(new Sequence(request, model.Vocabulary, 1024, time, CancellationToken.None));
        }

        // Wait until every prompt is computed.
        for (var i = 0; i < 50; i++)
        {
            _loop.Step();
        }
    }

    [Benchmark(OperationsPerInvoke = Steps)]
    public void Step()
    {
        for (var i = 0; i < Steps; i++)
        {
            _loop.Step();
        }
    }
}
