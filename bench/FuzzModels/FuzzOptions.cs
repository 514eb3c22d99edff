using System.Globalization;

namespace Herd.FuzzModels;

/// <summary>The options of the command line.</summary>
/// <param name="Count">The number of mutants.</param>
/// <param name="Seed">The seed of the first; each has a seed of its own.</param>
/// <param name="Json">True to print the figures as JSON.</param>
/// <param name="Keep">A folder for the headers that ended a child; null for none.</param>
/// <param name="Only">A part of the names of the headers that are mutated; empty for all.</param>
internal sealed record FuzzOptions(int Count, int Seed, bool Json, string? Keep, string Only)
{
    public const string Usage =
        "bench/fuzz-models [--count N] [--seed N] [--only NAME] [--keep FOLDER] [--json]";

    /// <returns>Null if the arguments cannot be read.</returns>
    public static FuzzOptions? Read(string[] args)
    {
        var options = new FuzzOptions(10_000, 1, false, null, "");
        for (var i = 0; i < args.Length; i++)
        {
            var value = i + 1 < args.Length ? args[i + 1] : "";
            switch (args[i])
            {
                case "--json":
                    options = options with { Json = true };
                    continue;
                case "--count" when int.TryParse(value, CultureInfo.InvariantCulture, out var count) && count >= 0:
                    options = options with { Count = count };
                    break;
                case "--seed" when int.TryParse(value, CultureInfo.InvariantCulture, out var seed):
                    options = options with { Seed = seed };
                    break;
                case "--keep" when value.Length > 0:
                    options = options with { Keep = value };
                    break;
                case "--only" when value.Length > 0:
                    options = options with { Only = value };
                    break;
                default:
                    return null;
            }

            i++;
        }

        return options;
    }
}
