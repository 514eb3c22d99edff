using System.CommandLine;
using System.Globalization;

namespace Herd.Cli.Commands;

/// <summary>Creates options that are numbers with a range.</summary>
internal static class NumberOption
{
    public static Option<T> Create<T>(string name, string description, T standard, T min, T max)
        where T : struct, IComparable<T>
    {
        var option = new Option<T>(name)
        {
            Description = description, HelpName = "N", DefaultValueFactory = _ => standard,
        };
        option.Validators.Add(result =>
        {
            if (!result.Errors.Any()
                && (result.GetValueOrDefault<T>().CompareTo(min) < 0
                    || result.GetValueOrDefault<T>().CompareTo(max) > 0))
            {
                result.AddError(string.Create(CultureInfo.InvariantCulture, $"{name} must be from {min} to {max}."));
            }
        });
        return option;
    }
}
