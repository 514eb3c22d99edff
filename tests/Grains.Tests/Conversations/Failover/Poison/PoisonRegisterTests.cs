using Herd.Grains.Conversations.Failover.Poison;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Grains.Tests.Conversations.Failover.Poison;

public sealed class PoisonRegisterTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly MemoryPoisonStore _store = new();
    private readonly PoisonRegister _register;
    private readonly PoisonRegister _other;

    public PoisonRegisterTests() => (_register, _other) = (New(), New());

    [Fact]
    public async Task Find_SavedAtAnotherGateway_IsKnownUntilItExpires()
    {
        await _register.Save(Content("d"));

        Assert.Equal("d", (await _other.Find("d"))!.Digest);
        Assert.Null(await _other.Find("e"));
        _time.Advance(TimeSpan.FromMinutes(10));
        Assert.Null(await _other.Find("d"));
        Assert.Null(await _register.Find("d"));
    }

    [Fact]
    public async Task Find_RemovedAtAnotherGateway_IsForgotten()
    {
        await _register.Save(Content("d"));

        await _other.Remove("d");

        Assert.Null(await _register.Find("d"));
        _store.IsAway = true;
        Assert.Null(await _register.Find("d"));
    }

    [Fact]
    public async Task Find_StoreIsAway_MemoryStandsForIt()
    {
        await _register.Save(Content("before"));
        _store.IsAway = true;
        await _register.Save(Content("meanwhile"));

        Assert.NotNull(await _register.Find("before"));
        Assert.NotNull(await _register.Find("meanwhile"));
        Assert.Null(await _other.Find("before"));
        Assert.Equal(2, (await _register.List()).Count);

        // The store never had it, so its absence there says nothing. It gets it now.
        _store.IsAway = false;
        Assert.NotNull(await _register.Find("meanwhile"));
        Assert.NotNull(await _other.Find("meanwhile"));
    }

    [Fact]
    public async Task Save_OthersHaveExpired_AreRemoved()
    {
        await _register.Save(Content("old"));
        _time.Advance(TimeSpan.FromMinutes(10));

        await _other.Save(Content("new"));

        Assert.Equal(["new"], _store.Contents.Keys);
        Assert.Equal(["new"], (await _register.List()).Select(content => content.Digest));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TryReserve_NodeHasATrial_IsRefusedUntilThatEnds(bool isAway)
    {
        _store.IsAway = isAway;
        Assert.True(await _register.TryReserve("a", "1"));

        Assert.False(await _register.TryReserve("a", "2"));
        Assert.True(await _register.TryReserve("b", "2"));
        await _register.EndReservation("a", "2");
        Assert.False(await _register.TryReserve("a", "2"));

        await _register.EndReservation("a", "1");
        Assert.True(await _register.TryReserve("a", "2"));
    }

    [Fact]
    public async Task TryReserve_AnotherGatewayHasATrialThere_IsRefused()
    {
        Assert.True(await _register.TryReserve("a", "1"));

        Assert.False(await _other.TryReserve("a", "2"));
        await _register.EndReservation("a", "1");
        Assert.True(await _other.TryReserve("a", "2"));
    }

    [Fact]
    public async Task Verdicts_CountsPoisonOnly()
    {
        await _register.Save(Content("d"));
        await _register.Save(Content("d") with { IsPoison = true });

        Assert.Equal((1, 0), (_register.Verdicts, _other.Verdicts));
    }

    private PoisonRegister New() => new(_store, _time);

    private SuspectContent Content(string digest) => new()
    {
        Digest = digest,
        Tenant = "t",
        Conversation = "c",
        Turn = "1",
        Expires = _time.GetUtcNow() + TimeSpan.FromMinutes(10),
    };
}
