using System.Diagnostics;
using System.Text.Json.Nodes;
using Herd.Inference.Generation;
using Herd.Inference.Kv;
using Herd.Inference.Runtime;
using Herd.Inference.Sampling;
using Herd.Inference.Simulated;
using Microsoft.Extensions.Logging.Abstractions;

namespace Herd.Load.Scenes;

/// <summary>
/// Hours of load on one engine with the simulated runtime, faster than real time: conversations of several tenants
/// begin, continue, are left in mid-answer, offloaded, written to disk and dropped. The memory of the process must not
/// grow.
/// </summary>
internal static class SoakScene
{
    private const int Clients = 200;
    private const int Tenants = 4;
    private const int Slots = 16;
    private const int Cells = 2048;
    private const int LongestHistory = 1500;
    private const double ThinkSeconds = 60;
    private const long HostBytes = 256 << 10;
    private const long DiskBytes = 2 << 20;

    /// <param name="Hours">Simulated time since the begin.</param>
    /// <param name="Tokens">Tokens of answers since the last sample.</param>
    /// <param name="Turns">Turns since the last sample.</param>
    /// <param name="Cached">The share of prompt tokens that were cached.</param>
    /// <param name="BytesPerToken">Managed bytes allocated for each of these tokens, by the clients too.</param>
    /// <param name="HeapMegabytes">Managed memory in use after a collection.</param>
    /// <param name="ResidentMegabytes">The resident memory of the process.</param>
    public sealed record Sample(
        double Hours,
        long Tokens,
        long Turns,
        double Cached,
        double BytesPerToken,
        double HeapMegabytes,
        double ResidentMegabytes);

    public static async Task<List<Sample>> Run(TimeSpan length, double speed, int samples)
    {
        var folder = Directory.CreateTempSubdirectory("herd-bench-");
        using var end = new CancellationTokenSource();
        var load = new Counts();
        var taken = new List<Sample>();
        await using (var engine = Start(folder.FullName, speed))
        {
            var clients = Enumerable.Range(0, Clients)
                .Select(i => Task.Run(() => Chat(engine, i, speed, load, end.Token))).ToList();
            for (var i = 1; i <= samples; i++)
            {
                var before = load.Read();
                var allocated = GC.GetTotalAllocatedBytes();
                await Task.Delay(length / samples / speed);
                var after = load.Read();
                var tokens = after.Tokens - before.Tokens;
                taken.Add(new Sample(
                    (length * i / samples).TotalHours,
                    tokens,
                    after.Turns - before.Turns,
                    (double)(after.Cached - before.Cached) / (after.Prompts - before.Prompts),
                    (double)(GC.GetTotalAllocatedBytes() - allocated) / tokens,
                    GC.GetTotalMemory(forceFullCollection: true) / 1e6,
                    Process.GetCurrentProcess().WorkingSet64 / 1e6));
            }

            await end.CancelAsync();
            await Task.WhenAll(clients);
        }

        folder.Delete(recursive: true);
        return taken;
    }

    /// <returns>The samples, and the growth of the memory from the second quarter to the last one.</returns>
    public static JsonObject Print(IReadOnlyList<Sample> samples)
    {
        var rows = Figures.Print(
            $"Soak: {Clients} clients on {Slots} slots of the simulated runtime",
            samples,
            new("simulated hours", "simulated_hours", sample => sample.Hours, "0.0"),
            new("turns", "turns", sample => sample.Turns),
            new("tokens", "tokens", sample => sample.Tokens),
            new("cached", "cached_share", sample => sample.Cached, "0.00"),
            new("bytes allocated a token", "allocated_bytes_per_token", sample => sample.BytesPerToken, "0"),
            new("heap, MB", "heap_megabytes", sample => sample.HeapMegabytes, "0.0"),
            new("resident, MB", "resident_megabytes", sample => sample.ResidentMegabytes, "0.0"));
        var quarter = samples.Count / 4;
        double Growth(Func<Sample, double> of) =>
            samples.TakeLast(quarter).Select(of).Median() / samples.Skip(quarter).Take(quarter).Select(of).Median();
        var (heap, resident) = (Growth(s => s.HeapMegabytes), Growth(s => s.ResidentMegabytes));
        Console.WriteLine(
            $"\nLast quarter against the second: heap x{heap.Show()}, resident x{resident.Show()}.");
        return new JsonObject
        {
            ["samples"] = rows, ["heap_growth_factor"] = heap.ToJson(), ["resident_growth_factor"] = resident.ToJson(),
        };
    }

    private static Engine Start(string folder, double speed)
    {
        var runtime = new SimulatedRuntime(new SimulatedTimings { Speed = speed }, TimeProvider.System);
        var model = runtime.Load("simulated", new ModelOptions(), null, CancellationToken.None);
        var context = model.CreateContext(new ContextOptions { Sequences = Slots, CellsPerSequence = Cells });
        var kv = new KvOptions
        {
            HostBytes = HostBytes,
            Disk = new KvDiskOptions(folder, DiskBytes, new byte[32], new byte[32]),
        };
        return new Engine(
            context, model.Vocabulary, new EngineOptions { Kv = kv }, TimeProvider.System, NullLogger<Engine>.Instance);
    }

    /// <summary>Runs one client: one conversation after the other, until the end.</summary>
    private static async Task Chat(Engine engine, int client, double speed, Counts load, CancellationToken end)
    {
        var random = new Random(client);
        var history = new List<int>();
        for (var (conversation, turn) = (0, 0); !end.IsCancellationRequested; turn++)
        {
            await Task.Delay(TimeSpan.FromSeconds(-Math.Log(1 - random.NextDouble()) * ThinkSeconds / speed), end)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var session = $"{client}-{conversation}";
            history.AddRange(Enumerable.Range(0, random.Next(5, 60)).Select(_ => random.Next('a', 'z')));
            await Answer(engine, session, client, turn, history, random, load, end);
            if (history.Count > LongestHistory)
            {
                // Half of them are deleted, the others are never used again.
                if (random.Next(2) == 0)
                {
                    engine.Forget(session);
                }

                history.Clear();
                conversation++;
            }
        }
    }

    private static async Task Answer(
        Engine engine,
        string session,
        int client,
        int turn,
        List<int> history,
        Random random,
        Counts load,
        CancellationToken end)
    {
        var request = new GenerationRequest
        {
            Session = session,
            Tenant = $"tenant-{client % Tenants}",
            Prompt = [.. history],
            MaxTokens = 200,
            Sampling = new SamplingOptions
            {
                Seed = (ulong)turn,
                Temperature = 0.8f,
                TopP = 0.95f,
                Penalties = new PenaltyOptions { Repetition = 1.1f },
            },
        };
        var leavesAfter = random.Next(20) == 0 ? random.Next(1, 20) : int.MaxValue;
        var seen = 0;
        try
        {
            await foreach (var update in engine.Generate(request, end))
            {
                history.AddRange(update.Tokens);
                load.Record(update);
                if (++seen == leavesAfter)
                {
                    break;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The run ends.
        }
    }

    /// <summary>The counters since the begin.</summary>
    private readonly record struct Done(long Tokens, long Turns, long Prompts, long Cached);

    private sealed class Counts
    {
        private readonly Lock _lock = new();
        private Done _done;

        public Done Read()
        {
            lock (_lock)
            {
                return _done;
            }
        }

        public void Record(GenerationUpdate update)
        {
            lock (_lock)
            {
                _done = _done with { Tokens = _done.Tokens + update.Tokens.Count };
                if (update.Result is { } result)
                {
                    _done = _done with
                    {
                        Turns = _done.Turns + 1,
                        Prompts = _done.Prompts + result.PromptTokens,
                        Cached = _done.Cached + result.CachedTokens,
                    };
                }
            }
        }
    }
}
