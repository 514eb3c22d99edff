using Herd.Contracts.Conversations;
using Herd.Grains.Hosting;

namespace Herd.Gateway.Tenants;

/// <summary>What a tenant may use at one gateway; null means without bounds.</summary>
public sealed record TenantLimits
{
    /// <summary>Calls a minute, 1 or more.</summary>
    public int? RequestsPerMinute { get; set; }

    /// <summary>Tokens a minute, of prompts that are computed and of answers, 1 or more.</summary>
    public int? TokensPerMinute { get; set; }

    /// <summary>Answers at once, 1 or more.</summary>
    public int? Streams { get; set; }

    /// <summary>Conversations that are kept, 1 or more.</summary>
    public int? Conversations { get; set; }

    /// <summary>The best priority that its turns get. Default interactive.</summary>
    public TurnPriority Priority { get; set; }

    internal void Check(string name, OptionErrors errors)
    {
        foreach (var (field, value) in new[]
        {
            (nameof(RequestsPerMinute), RequestsPerMinute), (nameof(TokensPerMinute), TokensPerMinute),
            (nameof(Streams), Streams), (nameof(Conversations), Conversations),
        })
        {
            errors.Require(value is null or >= 1, $"{name}:{field} {value} is not 1 or more.");
        }
    }
}
