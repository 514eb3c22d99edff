using Herd.Contracts.Errors;

namespace Herd.Gateway.Errors;

/// <summary>Errors of a request's fields, with the field's name in the requested interface.</summary>
internal static class BadRequest
{
    public static HerdException Bad(string message, string? parameter) =>
        new(HerdError.InvalidArgument, message, parameter);

    /// <summary>The model that a request names.</summary>
    /// <exception cref="HerdException">It names none.</exception>
    public static string RequireModel(string? model) => string.IsNullOrEmpty(model)
        ? throw Bad("'model' is missing. Send the id of a served model.", "model")
        : model;

    /// <exception cref="HerdException">The condition is false.</exception>
    public static void Require(bool condition, string message, string? parameter)
    {
        if (!condition)
        {
            throw Bad(message, parameter);
        }
    }
}
