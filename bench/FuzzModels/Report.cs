using System.Text.Json.Nodes;

namespace Herd.FuzzModels;

/// <summary>Counts what became of the mutants.</summary>
internal sealed class Report
{
    private readonly SortedDictionary<string, (int Count, string Example)> _deaths = [];
    private readonly SortedDictionary<string, (int Count, string Example)> _nodeDeaths = [];
    private readonly SortedDictionary<string, int> _untaken = [];

    public int Mutants { get; private set; }

    public int RefusedByValidator { get; private set; }

    public int RefusedByNative { get; private set; }

    public int Passed { get; private set; }

    /// <summary>Mutants that the validator takes and that end the child.</summary>
    public int Deaths => _deaths.Values.Sum(death => death.Count);

    /// <summary>Mutants that pass and end a process that serves them.</summary>
    public int NodeDeaths => _nodeDeaths.Values.Sum(death => death.Count);

    public void AddRefusedByValidator() => (Mutants, RefusedByValidator) = (Mutants + 1, RefusedByValidator + 1);

    public void AddRefusedByNative() => (Mutants, RefusedByNative) = (Mutants + 1, RefusedByNative + 1);

    public void AddPassed() => (Mutants, Passed) = (Mutants + 1, Passed + 1);

    /// <summary>A hole of the validator.</summary>
    /// <param name="cause">How the child died.</param>
    /// <param name="example">Which mutant it was.</param>
    public void AddDeath(string cause, string example)
    {
        Mutants++;
        Add(_deaths, cause, example);
    }

    /// <summary>A hole of validator and probe.</summary>
    /// <param name="cause">How the process died that served it.</param>
    /// <param name="example">Which mutant it was.</param>
    public void AddNodeDeath(string cause, string example)
    {
        Mutants++;
        Add(_nodeDeaths, cause, example);
    }

    private static void Add(SortedDictionary<string, (int Count, string Example)> deaths, string cause, string example)
    {
        var (count, first) = deaths.GetValueOrDefault(cause, (0, example));
        deaths[cause] = (count + 1, first);
    }

    /// <summary>A sound header that the validator or native code does not take.</summary>
    public void AddUntakenSeed(string seed, string reason)
    {
        _untaken[$"{seed}: {reason}"] = 1;
    }

    public void Print(Seeds seeds, int count)
    {
        Console.WriteLine($"{count} sound headers");
        foreach (var architecture in seeds.Missing)
        {
            Console.WriteLine($"none of {architecture}: {seeds.Reasons[architecture]}");
        }

        foreach (var seed in _untaken.Keys)
        {
            Console.WriteLine($"not taken: {seed}");
        }

        Print("child", _deaths);
        Print("node", _nodeDeaths);
        Console.WriteLine(
            $"{Mutants} mutants: {RefusedByValidator} refused by the validator, {RefusedByNative} by native code, "
            + $"{Passed} pass and serve, {Deaths} end the child ({_deaths.Count} causes), {NodeDeaths} end a node.");
    }

    private static void Print(string process, SortedDictionary<string, (int Count, string Example)> deaths)
    {
        foreach (var (cause, (times, example)) in deaths.OrderByDescending(death => death.Value.Count))
        {
            Console.WriteLine($"{times,6} x {process}: {cause}\n         {example}");
        }
    }

    public JsonObject ToJson(long seconds) => new()
    {
        ["mutants"] = Mutants,
        ["refused_by_validator"] = RefusedByValidator,
        ["refused_by_native_code"] = RefusedByNative,
        ["served"] = Passed,
        ["node_deaths"] = NodeDeaths,
        ["child_deaths"] = Deaths,
        ["causes"] = new JsonObject(
            _deaths.Select(death => KeyValuePair.Create(death.Key, (JsonNode?)death.Value.Count))),
        ["seconds"] = seconds,
    };
}
