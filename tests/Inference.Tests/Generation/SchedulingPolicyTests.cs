using FsCheck.Xunit;
using Herd.Inference.Generation;

namespace Herd.Inference.Tests.Generation;

public sealed class SchedulingPolicyTests
{
    private readonly SchedulingPolicy _policy = new(new EngineOptions { Quantum = 16 });

    [Property]
    public bool Allot_AnyWishes_KeepsBudgetAndWastesNothing(ushort[] wishes, ushort budget)
    {
        var wanted = wishes.Select(wish => (int)wish).ToArray();
        SchedulingPolicy.SplitBudget(wanted, budget);

        return wanted.Sum() == Math.Min(budget, wishes.Sum(wish => wish))
            && wanted.Zip(wishes).All(pair => pair.First >= 0 && pair.First <= pair.Second);
    }

    [Property]
    public bool Compare_AnyTwo_IsAnOrder(byte a, byte b, byte c)
    {
        SchedulingKey[] all = [Key(a, 1), Key(b, 2), Key(c, 3)];
        return all.All(x => all.All(y => Math.Sign(_policy.Compare(x, y)) == -Math.Sign(_policy.Compare(y, x))
            && all.All(z => _policy.Compare(x, y) > 0 || _policy.Compare(y, z) > 0 || _policy.Compare(x, z) <= 0)));
    }

    /// <summary>
    /// No starvation: a sequence that waited for the starvation limit goes before all later ones.
    /// </summary>
    [Property]
    public bool Compare_Overdue_GoesBeforeEveryLaterOne(byte kind)
    {
        var overdue = new SchedulingKey(Priority.Background, 1_000_000, 500, 1, TimeSpan.FromSeconds(31), 0);
        return _policy.Compare(overdue, Key(kind, 2)) < 0;
    }

    [Fact]
    public void Compare_TenantServedLess_GoesFirst() =>
        Assert.True(_policy.Compare(New(service: 10, arrival: 2), New(service: 20, arrival: 1)) < 0);

    [Fact]
    public void ComparePrompts_ShortOneThatCameLater_GoesFirst() =>
        Assert.True(_policy.ComparePrompts(New(arrival: 2) with { HasShortPrompt = true }, New(arrival: 1)) < 0);

    [Fact]
    public void ComparePrompts_LongOneHasWaitedTooLong_GoesFirst() =>
        Assert.True(_policy.ComparePrompts(
            New(arrival: 2) with { HasShortPrompt = true },
            New(arrival: 1) with { TimeInSlot = TimeSpan.FromSeconds(30) }) > 0);

    [Fact]
    public void ComparePrompts_ShortOneOfATenantServedMore_WaitsForTheOthers() =>
        Assert.True(_policy.ComparePrompts(New(service: 20) with { HasShortPrompt = true }, New(service: 10)) > 0);

    [Fact]
    public void ShouldPreempt_BackgroundForInteractive_AtOnce()
    {
        var background = New() with { Priority = Priority.Background };

        Assert.True(_policy.ShouldPreempt(background, New()));
        Assert.False(_policy.ShouldPreempt(New(), background));
    }

    [Fact]
    public void ShouldPreempt_WithinTheQuantum_Never() =>
        Assert.False(_policy.ShouldPreempt(New(quantumUsed: 15, answered: 100), New()));

    [Fact]
    public void ShouldPreempt_LongerAnswerForNewOne_AfterTheQuantum() =>
        Assert.True(_policy.ShouldPreempt(New(quantumUsed: 16, answered: 16), New()));

    [Fact]
    public void Fairness_TenantReturns_HasNoCredit()
    {
        var fairness = new Fairness();
        fairness.Enter("busy");
        fairness.Enter("away");
        fairness.Leave("away");
        fairness.Charge("busy", input: 100, output: 50);
        fairness.Enter("away");

        Assert.Equal(200, fairness.ServiceOf("busy"));
        Assert.Equal(200, fairness.ServiceOf("away"));
    }

    private static SchedulingKey New(long service = 0, int answered = 0, long arrival = 0, int quantumUsed = 0) =>
        new(Priority.Interactive, service, answered, arrival, TimeSpan.Zero, quantumUsed);

    private static SchedulingKey Key(byte kind, long arrival) => new(
        (kind & 1) == 0 ? Priority.Interactive : Priority.Background,
        (kind >> 1) & 3,
        kind,
        arrival,
        (kind & 8) == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(40 * (arrival == 1 ? 1 : 0)),
        0);
}
