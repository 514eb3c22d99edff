using System.Text.Json;
using System.Text.Json.Serialization;
using Herd.Contracts.Conversations;
using Herd.Contracts.Placements;

namespace Herd.Grains.Conversations.Storage;

/// <summary>The format of stored conversations: docs/stored-state.md. Version 1.</summary>
internal static class ConversationFormat
{
    public const int Version = 1;

    public static string WriteHead(Conversation conversation) => JsonSerializer.Serialize(
        new ConversationHead
        {
            Version = Version,
            Id = conversation.Id,
            Model = conversation.Model,
            Created = conversation.Created,
            Home = conversation.Home,
            Epoch = conversation.Epoch,
            Turns = conversation.Turns.Count,
            System = conversation.System,
            LastMigration = conversation.LastMigration,
            Metadata = conversation.Metadata,
            Retention = conversation.Retention == Retention.Durable ? null : conversation.Retention,
        },
        ConversationJson.Default.ConversationHead);

    /// <exception cref="InvalidDataException">A newer Herd wrote it, or it is damaged.</exception>
    public static ConversationHead ReadHead(string json) =>
        Read(json, ConversationJson.Default.ConversationHead) is { Version: <= Version } head
            ? head
            : throw new InvalidDataException("A newer Herd stored the conversation; upgrade this one to read it.");

    public static string WriteTurn(Turn turn) => JsonSerializer.Serialize(turn, ConversationJson.Default.Turn);

    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static Turn ReadTurn(string json) => Read(json, ConversationJson.Default.Turn);

    private static T Read<T>(string json, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(json, type)
                ?? throw new InvalidDataException("A stored conversation is empty.");
        }
        catch (JsonException e)
        {
            // The message of a JsonException quotes no values.
            throw new InvalidDataException($"A stored conversation is damaged: {e.Message}", e);
        }
    }
}

/// <summary>The stored part of a conversation beside its turns.</summary>
internal sealed record ConversationHead
{
    [JsonPropertyName("version")] public required int Version { get; init; }

    [JsonPropertyName("id")] public required string Id { get; init; }

    [JsonPropertyName("model")] public string? Model { get; init; }

    [JsonPropertyName("created")] public required DateTimeOffset Created { get; init; }

    [JsonPropertyName("home")] public string? Home { get; init; }

    [JsonPropertyName("epoch")] public long Epoch { get; init; }

    [JsonPropertyName("turns")] public int Turns { get; init; }

    [JsonPropertyName("system")] public string? System { get; init; }

    [JsonPropertyName("moved")] public PlacementDecision? LastMigration { get; init; }

    [JsonPropertyName("metadata")] public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>Null means durable. Earlier versions wrote no retention: then the prefix of the id shows it.</summary>
    [JsonPropertyName("retention")] public Retention? Retention { get; init; }

    public Conversation WithTurns(IReadOnlyList<Turn> turns) => new()
    {
        Id = Id,
        Model = Model,
        Created = Created,
        Home = Home,
        Epoch = Epoch,
        Turns = turns,
        System = System,
        LastMigration = LastMigration,
        Metadata = Metadata,
        Retention = Retention
            ?? (Id.StartsWith(ConversationId.CallerKeptPrefix, StringComparison.Ordinal)
                ? Contracts.Conversations.Retention.CallerKept
                : Contracts.Conversations.Retention.Durable),
    };
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    IgnoreReadOnlyProperties = true,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(ConversationHead))]
[JsonSerializable(typeof(Turn))]
internal sealed partial class ConversationJson : JsonSerializerContext;
