using System.Collections.Concurrent;
using System.Threading.RateLimiting;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;

namespace Herd.Gateway.Tenants;

/// <summary>Enforces the limits of tenants at this gateway. Gateways do not share their counts.</summary>
internal sealed class Quotas(TimeProvider time) : IDisposable
{
    private readonly ConcurrentDictionary<string, Use> _uses = new();

    /// <summary>Counts a request.</summary>
    /// <exception cref="HerdException">The tenant sent too many within a minute.</exception>
    public void Count(Tenant tenant)
    {
        if (tenant.Limits.RequestsPerMinute is { } limit)
        {
            using var lease = UsageOf(tenant).Requests!.AttemptAcquire();
            if (!lease.IsAcquired)
            {
                throw Refusal($"{limit} requests a minute", TimeSpan.FromMinutes(1.0 / limit));
            }
        }
    }

    /// <summary>Begins an answer.</summary>
    /// <returns>To be disposed at the end of the answer; null without a limit.</returns>
    /// <exception cref="HerdException">
    /// The tenant has too many answers at once, or used too many tokens within a minute.
    /// </exception>
    public IDisposable? Begin(Tenant tenant)
    {
        var use = UsageOf(tenant);
        if (use.Tokens?.Wait() is { Ticks: > 0 } wait)
        {
            throw Refusal($"{tenant.Limits.TokensPerMinute} tokens a minute", wait);
        }

        var lease = use.Streams?.AttemptAcquire();
        return lease is null or { IsAcquired: true }
            ? lease
            : throw Refusal($"{tenant.Limits.Streams} answers at once", TimeSpan.FromSeconds(1));
    }

    /// <summary>Charges the tokens of an answer: the computed ones of the prompt, and those of the answer.</summary>
    public void Charge(Tenant tenant, Usage usage) =>
        UsageOf(tenant).Tokens?.Charge(usage.PromptTokens - usage.CachedTokens + usage.CompletionTokens);

    public static HerdException Refusal(string limit, TimeSpan? retryAfter) =>
        new HerdException(
            HerdError.QuotaExceeded,
            $"The limit of {limit} is reached. "
            + (retryAfter is null ? "Delete some." : "Send the request again later."))
            .With("limit", limit)
            .RetryAfter(retryAfter);

    public void Dispose()
    {
        foreach (var use in _uses.Values)
        {
            use.Requests?.Dispose();
            use.Streams?.Dispose();
        }
    }

    private Use UsageOf(Tenant tenant) => _uses.AddOrUpdate(
        tenant.Name,
        static (_, now) => new Use(now.Limits, now.time),
        static (_, use, now) => use.Limits == now.Limits ? use : new Use(now.Limits, now.time),
        (tenant.Limits, time));

    /// <summary>A tenant's use of its limits. It starts again from zero when the limits change.</summary>
    private sealed class Use(TenantLimits limits, TimeProvider time)
    {
        public TenantLimits Limits => limits;

        public TokenBudget? Tokens { get; } = limits.TokensPerMinute is { } tokens
            ? new TokenBudget(tokens, time)
            : null;

        public ConcurrencyLimiter? Streams { get; } = limits.Streams is { } streams
            ? new ConcurrencyLimiter(new ConcurrencyLimiterOptions { PermitLimit = streams })
            : null;

        public TokenBucketRateLimiter? Requests { get; } = limits.RequestsPerMinute is { } requests
            ? new TokenBucketRateLimiter(new TokenBucketRateLimiterOptions
            {
                TokenLimit = requests,
                TokensPerPeriod = 1,
                ReplenishmentPeriod = TimeSpan.FromMinutes(1.0 / requests),
            })
            : null;
    }
}
