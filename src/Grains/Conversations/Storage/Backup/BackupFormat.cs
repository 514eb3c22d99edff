using System.Text.Json.Serialization;

namespace Herd.Grains.Conversations.Storage.Backup;

/// <summary>A line of a backup: docs/stored-state.md. The members that it has tell its kind.</summary>
internal sealed record BackupLine
{
    /// <summary>The version of the format; in the first line.</summary>
    [JsonPropertyName("herd_backup")] public int? Version { get; init; }

    /// <summary>When the backup began; in the first line.</summary>
    [JsonPropertyName("created")] public DateTimeOffset? Created { get; init; }

    /// <summary>The tenant of a conversation.</summary>
    [JsonPropertyName("tenant")] public string? Tenant { get; init; }

    /// <summary>The id of a conversation.</summary>
    [JsonPropertyName("conversation")] public string? Conversation { get; init; }

    /// <summary>A day of the ledger.</summary>
    [JsonPropertyName("usage")] public string? UsageDay { get; init; }

    /// <summary>The fields as they are stored.</summary>
    [JsonPropertyName("fields")] public Dictionary<string, string>? Fields { get; init; }

    /// <summary>The number of conversations; in the last line.</summary>
    [JsonPropertyName("conversations")] public int? Conversations { get; init; }

    /// <summary>The number of days; in the last line.</summary>
    [JsonPropertyName("days")] public int? Days { get; init; }

    /// <summary>The SHA-256 of all lines before, in hexadecimal; in the last line.</summary>
    [JsonPropertyName("sha256")] public string? Sha256 { get; init; }
}

[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(BackupLine))]
internal sealed partial class BackupJson : JsonSerializerContext;

/// <summary>What a backup has.</summary>
/// <param name="Created">When it began.</param>
/// <param name="Conversations">The number of conversations.</param>
/// <param name="Days">The number of days of the ledger.</param>
public sealed record BackupSummary(DateTimeOffset Created, int Conversations, int Days);
