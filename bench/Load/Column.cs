using System.Globalization;
using System.Text.Json.Nodes;

namespace Herd.Load;

/// <summary>A column of a table of figures.</summary>
/// <param name="Title">Its title in Markdown.</param>
/// <param name="Name">Its name in JSON, in snake_case, with the unit.</param>
/// <param name="Value">A row's value: a double, a long, an int or a text.</param>
/// <param name="Format">The format of a double in Markdown. JSON has all digits.</param>
internal sealed record Column<T>(string Title, string Name, Func<T, object> Value, string Format = "0.000")
{
    public string Text(T row) => Value(row) switch
    {
        double figure => figure.Show(Format),
        var other => Convert.ToString(other, CultureInfo.InvariantCulture)!,
    };

    public JsonNode? Json(T row) => Value(row) switch
    {
        double figure => figure.ToJson(),
        long count => JsonValue.Create(count),
        int count => JsonValue.Create(count),
        var text => JsonValue.Create((string)text),
    };
}
