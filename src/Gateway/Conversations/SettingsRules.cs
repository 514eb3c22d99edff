using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;

namespace Herd.Gateway.Conversations;

/// <summary>What requests may ask for, whichever interface they come by.</summary>
internal static class SettingsRules
{
    public const int MaxStops = 16;
    public const int MaxStopLength = 256;
    public const int MaxMessages = 4096;
    private const int MaxTopK = 1_000_000;

    /// <param name="settings">What was asked for.</param>
    /// <param name="prefix">What stands before the fields' names at this interface.</param>
    /// <exception cref="HerdException">A field is out of its range.</exception>
    public static void Check(GenerationSettings settings, string prefix = "")
    {
        Require(settings.Temperature is null or (>= 0 and <= 2), prefix + "temperature", "must be from 0 to 2", settings.Temperature);
        Require(settings.TopK is null or (>= 0 and <= MaxTopK), prefix + "top_k", "must be from 0 (all) to 1000000", settings.TopK);
        Require(settings.TopP is null or (> 0 and <= 1), prefix + "top_p", "must be above 0 and at most 1", settings.TopP);
        Require(settings.MinP is null or (>= 0 and <= 1), prefix + "min_p", "must be from 0 to 1", settings.MinP);
        Require(settings.MaxTokens is null or >= 1, "max_tokens", "must be 1 or more", settings.MaxTokens);
        Require(settings.Stops.Count <= MaxStops, "stop", $"may hold at most {MaxStops} texts", settings.Stops.Count);
        foreach (var stop in settings.Stops)
        {
            Require(stop.Length is >= 1 and <= MaxStopLength, "stop", $"holds texts of 1 to {MaxStopLength} characters", stop.Length);
        }
    }

    /// <exception cref="HerdException">The id is not one that turns can have.</exception>
    public static void CheckTurnId(string id) => Require(
        id.Length is >= 1 and <= 64 && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'),
        "turn_id",
        "must be 1 to 64 letters, digits, '-' and '_'",
        id.Length);

    private static void Require(bool condition, string parameter, string rule, object? found)
    {
        if (!condition)
        {
            throw new HerdException(
                HerdError.InvalidArgument, FormattableString.Invariant($"'{parameter}' {rule}; found {found}."), parameter);
        }
    }
}
