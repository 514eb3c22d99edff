using Herd.Contracts.Errors;

namespace Herd.Gateway.Errors;

/// <summary>What is wrong with a request, told by the field that its sender knows.</summary>
internal static class BadRequest
{
    public static HerdException Bad(string message, string? parameter) => new(HerdError.InvalidArgument, message, parameter);

    /// <exception cref="HerdException">It does not hold.</exception>
    public static void Require(bool holds, string otherwise, string? parameter)
    {
        if (!holds)
        {
            throw Bad(otherwise, parameter);
        }
    }
}
