using Herd.Contracts.Errors;
using Herd.Grains.Accounting.Limits;

namespace Herd.Gateway.Tenants;

/// <summary>Enforces the limits of tenants, for all gateways together.</summary>
internal sealed class Quotas(ILimitCounts counts)
{
    /// <summary>
    /// The most tokens of an answer that are reserved before it begins, or 5 % of the limit if that is more. Clients
    /// allow answers far longer than they get.
    /// </summary>
    private const int MaxReservedAnswer = 256;

    private const int ReservedShare = 20;

    /// <summary>Counts a request.</summary>
    /// <exception cref="HerdException">The tenant sent too many within a minute.</exception>
    public async Task Count(Tenant tenant)
    {
        if (tenant.Limits.RequestsPerMinute is { } limit
            && await counts.Take(Name("requests", tenant), limit, 1, isForced: false) is { Ticks: > 0 } wait)
        {
            throw Refusal($"{limit} requests a minute", wait);
        }
    }

    /// <summary>Begins an answer. Its expected tokens are reserved.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="prompt">The expected tokens of the prompt that are computed.</param>
    /// <param name="answer">The maximum of tokens of the answer; null if the client set none.</param>
    /// <param name="isResumed">True for an answer that began before: only the number of answers may refuse it.</param>
    /// <returns>To be charged while the answer is computed, and disposed at its end.</returns>
    /// <exception cref="HerdException">
    /// The tenant has too many answers at once, or used too many tokens within a minute.
    /// </exception>
    public async Task<AnswerQuota> Begin(Tenant tenant, int prompt, int? answer, bool isResumed = false)
    {
        var quota = new AnswerQuota(counts, tenant.Limits.TokensPerMinute, Name("tokens", tenant));
        if (tenant.Limits.Streams is { } streams
            && !await quota.TryEnter(Name("streams", tenant), streams))
        {
            throw Refusal($"{streams} answers at once", TimeSpan.FromSeconds(1));
        }

        if (tenant.Limits.TokensPerMinute is { } limit)
        {
            var most = Math.Max(MaxReservedAnswer, limit / ReservedShare);
            var reserved = Math.Min(limit, prompt + Math.Min(answer ?? MaxReservedAnswer, most));
            if (await quota.Reserve(reserved, isResumed) is { Ticks: > 0 } wait)
            {
                await quota.DisposeAsync();
                throw Refusal($"{limit} tokens a minute", wait);
            }
        }

        return quota;
    }

    public static HerdException Refusal(string limit, TimeSpan? retryAfter) =>
        new HerdException(
            HerdError.QuotaExceeded,
            $"The limit of {limit} is reached. "
            + (retryAfter is null ? "Delete some." : "Send the request again later."))
            .With("limit", limit)
            .RetryAfter(retryAfter);

    private static string Name(string what, Tenant tenant) => $"{what}:{Uri.EscapeDataString(tenant.Name)}";
}
