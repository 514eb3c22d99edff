using Herd.Contracts.Errors;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.OpenAi.Responses;

/// <summary>What callers note of responses and conversations.</summary>
internal static class MetadataRules
{
    private const int Most = 16;
    private const int LongestKey = 64;
    private const int LongestValue = 512;

    /// <returns>Null when there is nothing.</returns>
    /// <exception cref="HerdException">There are too many, or one is too long.</exception>
    public static Dictionary<string, string>? Check(Dictionary<string, string>? metadata)
    {
        Require(
            metadata is null or { Count: <= Most },
            $"'metadata' may hold at most {Most} pairs; found {metadata?.Count}.",
            "metadata");
        Require(
            metadata is null || metadata.All(
                pair => pair.Key.Length is >= 1 and <= LongestKey && pair.Value is { Length: <= LongestValue }),
            $"'metadata' holds keys of 1 to {LongestKey} characters and values of at most {LongestValue}.",
            "metadata");
        return metadata is { Count: > 0 } ? metadata : null;
    }
}
