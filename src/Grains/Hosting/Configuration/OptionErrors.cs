using Herd.Grains.Hosting.Identity;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Hosting.Configuration;

/// <summary>Collects all errors of options, so that they are reported together.</summary>
public sealed class OptionErrors
{
    private readonly List<string> _errors = [];

    public void Require(bool condition, string error)
    {
        if (!condition)
        {
            _errors.Add(error);
        }
    }

    /// <summary>Requires a value from min to max.</summary>
    public void RequireBetween<T>(string key, T value, T min, T max)
        where T : IComparable<T> => RequireValue(
            value.CompareTo(min) >= 0 && value.CompareTo(max) <= 0, key, $"a value from {min} to {max}", value);

    /// <summary>Requires a value of min or more.</summary>
    public void RequireAtLeast<T>(string key, T value, T min)
        where T : IComparable<T> => RequireValue(value.CompareTo(min) >= 0, key, $"{min} or more", value);

    /// <summary>Requires a value above a bound.</summary>
    public void RequireAbove<T>(string key, T value, T bound)
        where T : IComparable<T> => RequireValue(value.CompareTo(bound) > 0, key, $"a value above {bound}", value);

    /// <summary>Requires a file with a secret, which not every user of the machine can read.</summary>
    /// <param name="key">The option that names the file.</param>
    /// <param name="path">The file.</param>
    /// <param name="minLength">The minimum length of the secret, without spaces and line ends around it.</param>
    /// <param name="tooShort">What is wrong with a shorter one, and what to do; it follows the file's path.</param>
    /// <param name="mode">What to do if every user can read it.</param>
    public void RequireSecretFile(string key, string path, int minLength, string tooShort, string mode)
    {
        try
        {
            Require(File.ReadAllText(path).Trim().Length >= minLength, $"{key} {path} {tooShort}");
            Require(
                !FilePermissions.IsReadableByOthers(path), $"Every user of this machine may read {key} {path}. {mode}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Require(false, $"{key} {path} cannot be read: {e.Message}");
        }
    }

    public ValidateOptionsResult ToResult() =>
        _errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(_errors);

    private void RequireValue<T>(bool condition, string key, FormattableString valid, T found) => Require(
        condition,
        FormattableString.Invariant($"Set {key} to {FormattableString.Invariant(valid)}; found {found}."));
}
