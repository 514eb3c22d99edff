using Herd.Contracts.Errors;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.Generation;

/// <summary>The value of a request's field, with the field's name in the interface of the request.</summary>
/// <param name="Name">The name, as the client wrote it. Errors have it.</param>
/// <param name="Value">The value; null if the request does not have the field.</param>
internal readonly record struct Field<T>(string Name, T Value)
{
    public static implicit operator Field<T>((string Name, T Value) field) => new(field.Name, field.Value);

    /// <summary>A field inside this one.</summary>
    public Field<TPart> Part<TPart>(string name, TPart value) => new($"{Name}.{name}", value);

    /// <summary>The error of a value that breaks a rule.</summary>
    /// <param name="rule">The rule, such as "must be from 0 to 2".</param>
    /// <param name="found">
    /// The value, or the count or length that breaks the rule. Texts of users are not repeated.
    /// </param>
    public HerdException Error(string rule, object? found) =>
        Bad(FormattableString.Invariant($"'{Name}' {rule}; found {found}."), Name);
}
