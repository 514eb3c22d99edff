using System.Text.Json;
using System.Text.Json.Serialization;
using Herd.Grains.Hosting.Configuration;

namespace Herd.Gateway.Tenants;

/// <summary>A tenant in the file <see cref="Hosting.GatewayOptions.TenantsFile"/>.</summary>
internal sealed record TenantEntry
{
    /// <summary>The SHA-256 of each key, in hexadecimal.</summary>
    public IReadOnlyList<string> Keys { get; set; } = [];

    /// <summary>True if the tenant may make all calls for operators.</summary>
    public bool Operator { get; init; }

    /// <summary>True if the tenant may make those that only look.</summary>
    public bool Reader { get; init; }

    [JsonIgnore]
    public TenantRole Role => Operator ? TenantRole.Operator : Reader ? TenantRole.Reader : TenantRole.User;

    /// <summary>Null means Gateway:Limits.</summary>
    public TenantLimits? Limits { get; init; }
}

/// <summary>Reads the file of tenants.</summary>
internal static class TenantFile
{
    /// <param name="path">The file.</param>
    /// <param name="tokenPrefix">
    /// The prefix of the tenants of tokens, which need no keys; empty if they cannot be in the file.
    /// </param>
    /// <exception cref="InvalidDataException">The file is invalid. The message has all faults.</exception>
    public static IReadOnlyDictionary<string, TenantEntry> Read(string path, string tokenPrefix)
    {
        try
        {
            var entries = JsonSerializer.Deserialize(
                File.ReadAllBytes(path), TenantJson.Default.DictionaryStringTenantEntry) ?? [];
            var errors = new OptionErrors();
            foreach (var (name, entry) in entries)
            {
                errors.Require(
                    name.Length is >= 1 and <= 128, $"{path}: the name '{name}' does not have 1 to 128 characters.");
                var isOfTokens = tokenPrefix.Length > 0 && name.StartsWith(tokenPrefix, StringComparison.Ordinal);
                errors.Require(
                    entry is { Keys.Count: > 0 } || (isOfTokens && entry is not null),
                    $"{path}: '{name}' has no keys.");
                errors.Require(
                    entry?.Keys.All(TenantKeys.IsHash) ?? true,
                    $"{path}: '{name}' has a key that is not a SHA-256, 64 hexadecimal digits.");
                entry?.Limits?.Check($"{path}: {name}", errors);
            }

            var result = errors.ToResult();
            return result.Failed ? throw new InvalidDataException(result.FailureMessage) : entries;
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"{path} cannot be read: {e.Message}", e);
        }
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(Dictionary<string, TenantEntry>))]
internal sealed partial class TenantJson : JsonSerializerContext;
