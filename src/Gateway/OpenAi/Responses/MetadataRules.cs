using Herd.Contracts.Errors;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.OpenAi.Responses;

/// <summary>Checks the metadata of responses and conversations.</summary>
internal static class MetadataRules
{
    private const int MaxPairs = 16;
    private const int MaxKey = 64;
    private const int MaxValue = 512;

    /// <returns>Null if there is none.</returns>
    /// <exception cref="HerdException">There are too many pairs, or one is too long.</exception>
    public static Dictionary<string, string>? Check(Dictionary<string, string>? metadata)
    {
        Require(
            metadata is null or { Count: <= MaxPairs },
            $"'metadata' may hold at most {MaxPairs} pairs; found {metadata?.Count}.",
            "metadata");
        Require(
            metadata is null || metadata.All(
                pair => pair.Key.Length is >= 1 and <= MaxKey && pair.Value is { Length: <= MaxValue }),
            $"'metadata' must have keys of 1 to {MaxKey} characters, and values of at most {MaxValue} characters.",
            "metadata");
        return metadata is { Count: > 0 } ? metadata : null;
    }
}
