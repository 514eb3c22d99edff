using Herd.Contracts.Conversations;

namespace Herd.Grains.Accounting.Ledger;

/// <summary>
/// What one turn (or request for embeddings) computed so far. Records are absolute, not differences: writing one again,
/// or an older one late, changes nothing.
/// </summary>
public sealed record UsageRecord
{
    /// <summary>The turn's id, unique for the tenant: conversation and turn.</summary>
    public required string Turn { get; init; }

    public required string Tenant { get; init; }

    /// <summary>The name of the API key; empty without one.</summary>
    public required string Key { get; init; }

    public required string Model { get; init; }

    /// <summary>The day of the turn's creation, in UTC.</summary>
    public required DateOnly Day { get; init; }

    public required UsageState State { get; init; }

    /// <summary>What was computed so far.</summary>
    public required Usage Usage { get; init; }

    /// <summary>
    /// What earlier calls of the turn computed. It counts as recorded if the ledger has no record of the turn, because
    /// the turn is a copy or old. Null if nothing.
    /// </summary>
    public Usage? Before { get; init; }
}

/// <summary>The state of a turn in the ledger. The numbers are a contract, of the store.</summary>
public enum UsageState
{
    /// <summary>It is being answered, or its gateway was lost and nobody asked for it again.</summary>
    Running = 0,

    /// <summary>Its caller left or cancelled it.</summary>
    Aborted = 1,

    /// <summary>It failed.</summary>
    Failed = 2,

    Completed = 3,
}

/// <summary>What turns of a day computed.</summary>
/// <param name="Day">The day of their creation, in UTC.</param>
/// <param name="Tenant">Their tenant.</param>
/// <param name="Key">The name of the API key; empty without one.</param>
/// <param name="Model">Their model.</param>
/// <param name="State">Their state.</param>
/// <param name="Turns">Their number.</param>
/// <param name="PromptTokens">Tokens of prompts, cached ones included.</param>
/// <param name="CachedTokens">Tokens of prompts that were cached.</param>
/// <param name="CompletionTokens">Tokens of answers.</param>
public sealed record UsageSum(
    DateOnly Day,
    string Tenant,
    string Key,
    string Model,
    UsageState State,
    long Turns,
    long PromptTokens,
    long CachedTokens,
    long CompletionTokens);
