using System.Numerics;
using Herd.Contracts.Errors;

namespace Herd.Gateway.Generation;

/// <summary>Checks the ranges of numbers. A field that the request does not have is valid; NaN is not.</summary>
internal static class FieldRanges
{
    /// <summary>The value, if it is from min to max.</summary>
    /// <exception cref="HerdException">It is not.</exception>
    public static T? Between<T>(this Field<T?> field, T min, T max)
        where T : struct, INumber<T> => field.Value is not { } value || (value >= min && value <= max)
            ? field.Value
            : throw field.Error(FormattableString.Invariant($"must be from {min} to {max}"), value);

    /// <summary>The value, if it is above min and not above max.</summary>
    /// <exception cref="HerdException">It is not.</exception>
    public static T? Above<T>(this Field<T?> field, T min, T max)
        where T : struct, INumber<T> => field.Value is not { } value || (value > min && value <= max)
            ? field.Value
            : throw field.Error(FormattableString.Invariant($"must be above {min} and at most {max}"), value);

    /// <summary>The value, if it is min or more.</summary>
    /// <exception cref="HerdException">It is not.</exception>
    public static T? AtLeast<T>(this Field<T?> field, T min)
        where T : struct, INumber<T> => field.Value is not { } value || value >= min
            ? field.Value
            : throw field.Error(FormattableString.Invariant($"must be {min} or more"), value);
}
