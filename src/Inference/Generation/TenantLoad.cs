namespace Herd.Inference.Generation;

/// <summary>The unfinished sequences of a tenant and priority class.</summary>
public sealed record TenantLoad
{
    /// <summary>The virtual tokens of <see cref="Service"/> for a token of an answer.</summary>
    public const int OutputWeight = 2;

    public required string Tenant { get; init; }

    public required Priority Priority { get; init; }

    /// <summary>Prompt tokens still to compute.</summary>
    public int Tokens { get; init; }

    /// <summary>The number of prompts that these tokens are of.</summary>
    public int Prompts { get; init; }

    /// <summary>
    /// Those of <see cref="Tokens"/> that are of prompts with at most <see cref="EngineLoad.ShortPromptTokens"/>.
    /// </summary>
    public int ShortTokens { get; init; }

    /// <summary>Sequences without a slot.</summary>
    public int Waiting { get; init; }

    /// <summary>Sequences with a slot whose prompt is computed.</summary>
    public int Decoding { get; init; }

    /// <summary>Virtual tokens that the tenant was served, see <see cref="Fairness"/>.</summary>
    public long Service { get; init; }

    /// <param name="sequences">The sequences, with the tokens of their prompts that are in no KV cache.</param>
    /// <param name="fairness">The service of the tenants.</param>
    internal static IReadOnlyList<TenantLoad> From(
        IEnumerable<(Sequence Sequence, int Missing)> sequences, Fairness fairness) =>
    [
        .. sequences.GroupBy(each => (each.Sequence.Kv.Tenant, each.Sequence.Priority)).Select(queue => new TenantLoad
        {
            Tenant = queue.Key.Tenant,
            Priority = queue.Key.Priority,
            Tokens = queue.Sum(each => each.Missing),
            Prompts = queue.Count(each => each.Missing > 0),
            ShortTokens = queue.Where(IsShort).Sum(each => each.Missing),
            Waiting = queue.Count(each => each.Sequence.Kv.Slot is null),
            Decoding = queue.Count(each => each.Sequence.Kv.Slot is not null && each.Missing == 0),
            Service = fairness.ServiceOf(queue.Key.Tenant),
        }),
    ];

    /// <summary>The end of a long prompt is not short.</summary>
    private static bool IsShort((Sequence Sequence, int Missing) each) => each.Sequence.Kv.Slot is null
        ? each.Missing <= EngineLoad.ShortPromptTokens
        : each.Sequence.ShortPrompt > 0;
}
