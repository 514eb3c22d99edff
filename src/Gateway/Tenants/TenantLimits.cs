using Herd.Contracts.Conversations;
using Herd.Grains.Hosting.Configuration;

namespace Herd.Gateway.Tenants;

/// <summary>The limits of a tenant at all gateways together. Null means no limit.</summary>
public sealed record TenantLimits
{
    /// <summary>Requests a minute, 1 or more. Default no limit.</summary>
    public int? RequestsPerMinute { get; set; }

    /// <summary>Computed tokens of prompts and tokens of answers a minute, 1 or more. Default no limit.</summary>
    public int? TokensPerMinute { get; set; }

    /// <summary>Answers at the same time, 1 or more. Default no limit.</summary>
    public int? Streams { get; set; }

    /// <summary>Stored conversations, 1 or more. Default no limit.</summary>
    public int? Conversations { get; set; }

    /// <summary>Bytes of stored conversations, 1 or more. Default no limit.</summary>
    public long? StoredBytes { get; set; }

    /// <summary>The highest priority of its turns. Default interactive.</summary>
    public TurnPriority Priority { get; set; }

    internal void Check(string name, OptionErrors errors)
    {
        foreach (var (field, value) in new[]
        {
            (nameof(RequestsPerMinute), RequestsPerMinute), (nameof(TokensPerMinute), TokensPerMinute),
            (nameof(Streams), Streams), (nameof(Conversations), Conversations),
        })
        {
            errors.RequireAtLeast($"{name}:{field}", value ?? 1, 1);
        }

        errors.RequireAtLeast($"{name}:{nameof(StoredBytes)}", StoredBytes ?? 1, 1L);
    }
}
