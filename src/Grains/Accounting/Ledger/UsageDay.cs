using System.Globalization;

namespace Herd.Grains.Accounting.Ledger;

/// <summary>Days of the ledger, in UTC, and their form in the store and at the interfaces.</summary>
public static class UsageDay
{
    public const string Format = "yyyy-MM-dd";

    public static DateOnly From(DateTimeOffset time) => DateOnly.FromDateTime(time.UtcDateTime);

    public static string ToText(DateOnly day) => day.ToString(Format, CultureInfo.InvariantCulture);
}
