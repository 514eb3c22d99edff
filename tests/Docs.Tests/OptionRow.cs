using System.Collections;
using System.Globalization;
using System.Reflection;

namespace Herd.Docs.Tests;

/// <summary>A setting, as the page of settings shows it.</summary>
/// <param name="Key">Its key, such as "Node:Slots".</param>
/// <param name="Property">Its property.</param>
/// <param name="Default">Its value in new options.</param>
internal sealed record OptionRow(string Key, PropertyInfo Property, object? Default)
{
    /// <summary>The settings of a section, those of objects and lists within it too.</summary>
    public static IEnumerable<OptionRow> From(string section, Type type)
    {
        var options = Activator.CreateInstance(type)!;
        foreach (var property in type.GetProperties().Where(property => property.SetMethod is { IsPublic: true }))
        {
            var key = $"{section}:{property.Name}";
            var kind = property.PropertyType;
            if (IsObject(kind))
            {
                foreach (var row in From(key, kind))
                {
                    yield return row;
                }
            }
            else if (ElementOf(kind) is { } element && IsObject(element))
            {
                foreach (var row in From($"{key}:0", element))
                {
                    yield return row;
                }
            }
            else
            {
                var suffix = kind.IsAssignableTo(typeof(IDictionary)) ? ":NAME"
                    : ElementOf(kind) is not null ? ":0"
                    : "";
                yield return new OptionRow(key + suffix, property, property.GetValue(options));
            }
        }
    }

    /// <summary>The environment variable that sets it.</summary>
    public string Variable => Key.Replace(":", "__", StringComparison.Ordinal);

    public string Type => Name(Property.PropertyType);

    /// <summary>The unit of its number; empty if the type says it.</summary>
    public string Unit => Property.Name switch
    {
        _ when Number(Property.PropertyType) is not { IsPrimitive: true } => "",
        var name when name.EndsWith("Bytes", StringComparison.Ordinal) => "bytes",
        var name when name.EndsWith("Seconds", StringComparison.Ordinal) => "s",
        var name when name.EndsWith("Tokens", StringComparison.Ordinal) => "tokens",
        var name when name.EndsWith("PerMinute", StringComparison.Ordinal) => "per minute",
        _ => "",
    };

    public string Value => Default switch
    {
        null or "" => "",
        ICollection { Count: 0 } => "",
        TimeSpan time => $"`{Text(time)}`",
        bool set => set ? "`true`" : "`false`",
        IFormattable number => $"`{number.ToString(null, CultureInfo.InvariantCulture)}`",
        _ => $"`{Default}`",
    };

    /// <summary>Without zeros at the end of a fraction.</summary>
    private static string Text(TimeSpan time) => time.Milliseconds == 0
        ? time.ToString("c", CultureInfo.InvariantCulture)
        : time.ToString("c", CultureInfo.InvariantCulture).TrimEnd('0');

    private static Type Number(Type type) => Nullable.GetUnderlyingType(type) ?? type;

    private static string Name(Type type) =>
        Nullable.GetUnderlyingType(type) is { } inner ? Name(inner)
        : type.IsEnum ? string.Join(", ", Enum.GetNames(type).Select(name => $"`{name}`"))
        : type.IsAssignableTo(typeof(IDictionary)) ? "text by name"
        : ElementOf(type) is { } element ? $"list of {Name(element)}"
        : type == typeof(string) ? "text"
        : type == typeof(bool) ? "`true`, `false`"
        : type == typeof(TimeSpan) ? "time"
        : type == typeof(int) || type == typeof(long) ? "integer"
        : "number";

    private static bool IsObject(Type type) =>
        type is { IsClass: true, Namespace: not null } && type.Namespace.StartsWith("Herd.", StringComparison.Ordinal);

    private static Type? ElementOf(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IList<>) ? type.GetGenericArguments()[0] : null;
}
