using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Tenants;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Gateway.Tests.Tenants;

public sealed class QuotasTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly Quotas _quotas;

    public QuotasTests() => _quotas = new Quotas(_time);

    public void Dispose() => _quotas.Dispose();

    [Fact]
    public void Count_OverTheLimit_IsRefusedForThatTenantOnly()
    {
        var limits = new TenantLimits { RequestsPerMinute = 2 };
        var (alice, bob) = (NewTenant("alice", limits), NewTenant("bob", limits));
        _quotas.Count(alice);
        _quotas.Count(alice);

        var refusal = Assert.Throws<HerdException>(() => _quotas.Count(alice));

        Assert.Equal((HerdError.QuotaExceeded, TimeSpan.FromSeconds(30)), (refusal.Error, refusal.Retry));
        _quotas.Count(bob);
    }

    [Fact]
    public void Begin_TooManyAtOnce_IsRefusedUntilOneEnds()
    {
        var tenant = NewTenant("alice", new TenantLimits { Streams = 1 });
        var first = _quotas.Begin(tenant);

        Assert.Equal(HerdError.QuotaExceeded, Assert.Throws<HerdException>(() => _quotas.Begin(tenant)).Error);
        first!.Dispose();
        _quotas.Begin(tenant)!.Dispose();
    }

    /// <summary>The tokens of an answer are charged at its end.</summary>
    [Fact]
    public void Begin_TokensUsedUp_SaysWhenToTryAgain()
    {
        var tenant = NewTenant("alice", new TenantLimits { TokensPerMinute = 60 });
        _quotas.Begin(tenant)?.Dispose();
        _quotas.Charge(tenant, new Usage(PromptTokens: 100, CompletionTokens: 20, CachedTokens: 40));

        var refusal = Assert.Throws<HerdException>(() => _quotas.Begin(tenant));

        Assert.Equal(TimeSpan.FromSeconds(21), refusal.Retry);
        _time.Advance(refusal.Retry!.Value);
        Assert.Null(_quotas.Begin(tenant));
    }

    [Fact]
    public void Begin_LimitsChange_ApplyAtOnce()
    {
        using var first = _quotas.Begin(NewTenant("alice", new TenantLimits { Streams = 1 }));

        using var second = _quotas.Begin(NewTenant("alice", new TenantLimits { Streams = 2 }));

        Assert.NotNull(second);
    }

    [Fact]
    public void Begin_NoLimits_NeverRefuses()
    {
        var tenant = NewTenant("alice", new TenantLimits());
        for (var i = 0; i < 1000; i++)
        {
            _quotas.Count(tenant);
            Assert.Null(_quotas.Begin(tenant));
            _quotas.Charge(tenant, new Usage(1_000_000, 1, 0));
        }
    }

    private static Tenant NewTenant(string name, TenantLimits limits) => new(name, TenantRole.User, limits);
}
