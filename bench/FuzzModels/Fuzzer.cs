using System.Diagnostics;
using System.Globalization;
using Herd.Inference.Models.Gguf;
using Herd.Inference.Models.Gguf.Checks;
using Herd.Inference.Runtime;

namespace Herd.FuzzModels;

/// <summary>
/// Mutates sound headers. The validator sees each mutant first; what it takes, a worker opens as the child of a node
/// does. A mutant that the validator takes and that ends the worker is a hole of the validator.
/// </summary>
internal sealed class Fuzzer(FuzzOptions options, string folder)
{
    private const int LargeShare = 200;

    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(5);

    private readonly Report _report = new();
    private readonly string _mutant = Path.Combine(folder, "mutant.gguf");
    private readonly IReadOnlyList<string> _keys = ReadKeys();

    public Report Run()
    {
        if (options.Keep is not null)
        {
            Directory.CreateDirectory(options.Keep);
        }

        using var worker = new WorkerProcess();
        var makers = new Seeds(worker, folder);
        var all = makers.Create(
            Path.Combine("models", "smollm2-135m-instruct.gguf"), Architectures.Known.Keys);
        List<Seed> seeds = [.. all.Where(seed =>
            seed.Name.Contains(options.Only, StringComparison.Ordinal) && IsSound(worker, seed))];
        for (var i = 0; i < options.Count; i++)
        {
            var started = Stopwatch.GetTimestamp();
            Try(worker, seeds, options.Seed + i);
            if (Stopwatch.GetElapsedTime(started) > Slow)
            {
                Console.Error.WriteLine($"mutant {options.Seed + i} takes {Stopwatch.GetElapsedTime(started)}");
            }
        }

        _report.Print(makers, seeds.Count);
        return _report;
    }

    /// <summary>The large header is slow, so few mutants are of it.</summary>
    private static Seed Choose(List<Seed> seeds, Random random) =>
        seeds[random.Next(LargeShare) == 0 ? 0 : random.Next(seeds.Count > 1 ? 1 : 0, seeds.Count)];

    private bool IsSound(WorkerProcess worker, Seed seed)
    {
        var (header, length) = seed.Draft.ToBytes();
        GgufDraft.Write(_mutant, header, length);
        var (answer, death) = Open(worker);
        if (answer != Worker.Passed)
        {
            _report.AddUntakenSeed(seed.Name, death ?? answer!);
        }

        return answer == Worker.Passed;
    }

    private void Try(WorkerProcess worker, List<Seed> seeds, int number)
    {
        var random = new Random(number);
        var seed = Choose(seeds, random);
        var (header, length, changes) = new Mutator(random, _keys).Mutate(seed.Draft);
        GgufDraft.Write(_mutant, header, length);
        var (answer, death) = Open(worker);
        if (death is not null)
        {
            _report.AddDeath(death, $"{number}: {seed.Name}: {changes}");
            Keep(number, header);
        }
        else if (answer == Worker.Passed)
        {
            var (_, nodeDeath) = worker.Do($"serve {_mutant}");
            if (nodeDeath is null)
            {
                _report.AddPassed();
            }
            else
            {
                _report.AddNodeDeath(nodeDeath, $"{number}: {seed.Name}: {changes}");
                Keep(number, header);
            }
        }
        else if (answer!.StartsWith(Worker.Refused, StringComparison.Ordinal))
        {
            _report.AddRefusedByNative();
        }
        else
        {
            _report.AddRefusedByValidator();
        }
    }

    private void Keep(int number, byte[] header)
    {
        if (options.Keep is not null)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"{number}.header");
            File.WriteAllBytes(Path.Combine(options.Keep, name), header);
        }
    }

    /// <summary>The validator's refusal, or the worker's answer or death.</summary>
    private (string? Answer, string? Death) Open(WorkerProcess worker)
    {
        try
        {
            GgufFile.Read(_mutant);
        }
        catch (ModelLoadException e)
        {
            return (e.Message, null);
        }

        return worker.Do($"probe {_mutant}");
    }

    private static List<string> ReadKeys()
    {
        using var reader = new StreamReader(
            typeof(Fuzzer).Assembly.GetManifestResourceStream("keys.txt")!);
        return [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }
}
