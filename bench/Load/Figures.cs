using System.Globalization;
using System.Text.Json.Nodes;

namespace Herd.Load;

/// <summary>Summaries of measurements.</summary>
internal static class Figures
{
    /// <summary>The value that a share of all does not exceed.</summary>
    public static double Quantile(this IEnumerable<double> values, double share)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? double.NaN : sorted[Math.Min((int)(share * sorted.Length), sorted.Length - 1)];
    }

    /// <summary>The differences between neighbours.</summary>
    public static IReadOnlyList<double> Gaps(this IReadOnlyList<double> values) =>
        [.. values.Zip(values.Skip(1), (before, after) => after - before)];

    public static double Median(this IEnumerable<double> values) => values.Quantile(0.5);

    public static string Show(this double value, string format = "0.000") =>
        double.IsNaN(value) ? "-" : value.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>Prints a table as Markdown.</summary>
    /// <returns>The same figures as an array of objects, one for each row.</returns>
    public static JsonArray Print<T>(string title, IEnumerable<T> rows, params Column<T>[] columns)
    {
        Console.WriteLine($"\n### {title}\n");
        Console.WriteLine($"| {string.Join(" | ", columns.Select(column => column.Title))} |");
        Console.WriteLine($"|{string.Concat(columns.Select(_ => "---|"))}");
        var all = new JsonArray();
        foreach (var row in rows)
        {
            Console.WriteLine($"| {string.Join(" | ", columns.Select(column => column.Text(row)))} |");
            all.Add(new JsonObject(columns.Select(column => KeyValuePair.Create(column.Name, column.Json(row)))));
        }

        return all;
    }

    /// <summary>A value in JSON; null if it is not a number.</summary>
    public static JsonNode? ToJson(this double value) => double.IsFinite(value) ? JsonValue.Create(value) : null;
}
