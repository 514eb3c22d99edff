using Herd.Contracts.Errors;
using Herd.Gateway.Tenants;
using Herd.Grains.Accounting.Limits;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Gateway.Tests.Tenants;

public sealed class QuotasTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly Quotas _quotas;

    public QuotasTests() => _quotas = new Quotas(new LocalCounts(_time));

    [Fact]
    public async Task Count_OverTheLimit_IsRefusedForThatTenantOnly()
    {
        var limits = new TenantLimits { RequestsPerMinute = 2 };
        var (alice, bob) = (NewTenant("alice", limits), NewTenant("bob", limits));
        await _quotas.Count(alice);
        await _quotas.Count(alice);

        var refusal = await Assert.ThrowsAsync<HerdException>(() => _quotas.Count(alice));

        Assert.Equal((HerdError.QuotaExceeded, TimeSpan.FromSeconds(30)), (refusal.Error, refusal.Retry));
        await _quotas.Count(bob);
    }

    [Fact]
    public async Task Begin_TooManyAtOnce_IsRefusedUntilOneEnds()
    {
        var tenant = NewTenant("alice", new TenantLimits { Streams = 1 });
        var first = await _quotas.Begin(tenant, 1, 1);

        await Refused(tenant, 1, 1);
        await first.DisposeAsync();
        await (await _quotas.Begin(tenant, 1, 1)).DisposeAsync();
    }

    [Fact]
    public async Task Begin_RefusedForItsTokens_IsNoAnswerAtOnce()
    {
        var tenant = NewTenant("alice", new TenantLimits { Streams = 1, TokensPerMinute = 60 });
        await (await Used(tenant, 60)).DisposeAsync();
        await Refused(tenant, 30, 0);

        _time.Advance(TimeSpan.FromMinutes(1));

        await using var quota = await _quotas.Begin(tenant, 30, 0);
    }

    [Fact]
    public async Task Begin_TokensUsedUp_SaysWhenToTryAgain()
    {
        var tenant = NewTenant("alice", new TenantLimits { TokensPerMinute = 60 });
        await (await Used(tenant, 80)).DisposeAsync();

        var refusal = await Refused(tenant, 1, 0);

        Assert.Equal(TimeSpan.FromSeconds(21), refusal.Retry);
        _time.Advance(refusal.Retry!.Value);
        await using var next = await _quotas.Begin(tenant, 1, 0);
    }

    /// <summary>Without reservations all of them would begin, because none has used anything yet.</summary>
    [Fact]
    public async Task Begin_ManyAtOnce_ReserveTheirTokens()
    {
        var tenant = NewTenant("alice", new TenantLimits { TokensPerMinute = 1000 });
        var begun = new List<AnswerQuota>();
        for (var i = 0; i < 10; i++)
        {
            begun.Add(await _quotas.Begin(tenant, prompt: 36, answer: 64));
        }

        await Refused(tenant, 36, 64);
        begun[0].Charge(20);
        await begun[0].DisposeAsync();
        await using var small = await _quotas.Begin(tenant, 40, 40);
        await Refused(tenant, 1, 0);
    }

    /// <summary>Clients of coding agents allow answers of 32,000 tokens. They do not reserve all of them.</summary>
    [Fact]
    public async Task Begin_LongAnswersAllowed_ReservesPartAndChargesTheRestAsItComes()
    {
        var tenant = NewTenant("alice", new TenantLimits { TokensPerMinute = 1000 });
        var answers = new List<AnswerQuota>();
        for (var i = 0; i < 3; i++)
        {
            answers.Add(await _quotas.Begin(tenant, 0, 32_000));
        }

        answers[0].Charge(256 + 232);

        await Refused(tenant, 1, 0);
    }

    [Fact]
    public async Task Begin_ResumedWithoutBudget_GoesOn()
    {
        var tenant = NewTenant("alice", new TenantLimits { TokensPerMinute = 60 });
        await (await Used(tenant, 100)).DisposeAsync();

        await using var resumed = await _quotas.Begin(tenant, 1, 10, isResumed: true);
    }

    [Fact]
    public async Task Begin_LimitsChange_ApplyAtOnce()
    {
        await using var first = await _quotas.Begin(NewTenant("alice", new TenantLimits { Streams = 1 }), 1, 1);

        await using var second = await _quotas.Begin(NewTenant("alice", new TenantLimits { Streams = 2 }), 1, 1);
    }

    [Fact]
    public async Task Begin_NoLimits_NeverRefuses()
    {
        var tenant = NewTenant("alice", new TenantLimits());
        for (var i = 0; i < 1000; i++)
        {
            await _quotas.Count(tenant);
            (await _quotas.Begin(tenant, 1000, null)).Charge(1_000_000);
        }
    }

    private async Task<AnswerQuota> Used(Tenant tenant, int tokens)
    {
        var quota = await _quotas.Begin(tenant, 0, 0);
        quota.Charge(tokens);
        return quota;
    }

    private async Task<HerdException> Refused(Tenant tenant, int prompt, int answer)
    {
        var refusal = await Assert.ThrowsAsync<HerdException>(() => _quotas.Begin(tenant, prompt, answer));
        Assert.Equal(HerdError.QuotaExceeded, refusal.Error);
        return refusal;
    }

    private static Tenant NewTenant(string name, TenantLimits limits) => new(name, TenantRole.User, limits);
}
