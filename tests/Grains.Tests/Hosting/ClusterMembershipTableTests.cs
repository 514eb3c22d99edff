using System.Net;
using Herd.Grains.Hosting.Lifetime;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Orleans.Configuration;

#pragma warning disable CS0618 // Orleans' methods with a token call those without.

namespace Herd.Grains.Tests.Hosting;

public sealed class ClusterMembershipTableTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);
    private static readonly SiloAddress Self = Address(11111, 2);
    private static readonly TableVersion Next = new(8, "8");
    private static readonly MembershipTableData Members = new(
        [
            Tuple.Create(Member(Address(11112, 1), SiloStatus.Joining), "7"),
            Tuple.Create(Member(Address(11113, 1), SiloStatus.Active), "7"),
            Tuple.Create(Member(Address(11111, 1), SiloStatus.Joining), "7"),
        ],
        new TableVersion(7, "7"));

    private readonly Store _store = new();
    private readonly FakeTimeProvider _time = new(Start);
    private readonly Departure _departure;
    private readonly ClusterMembershipOptions _membership = new();
    private readonly ClusterMembershipTable _table;

    public ClusterMembershipTableTests()
    {
        _departure = new Departure(_time);
        _table = new ClusterMembershipTable(
            _store,
            new Details(),
            _departure,
            Options.Create(_membership),
            _time,
            NullLogger<ClusterMembershipTable>.Instance);
    }

    public void Dispose() => _departure.Dispose();

    [Fact]
    public async Task ReadAll_StoreIsGoneAndProcessServes_FailsEachTime()
    {
        await _table.ReadAll();
        _store.IsGone = true;

        for (var attempt = 0; attempt < 5; attempt++)
        {
            await Assert.ThrowsAsync<TimeoutException>(_table.ReadAll);
        }

        Assert.Equal(6, _store.Calls);
    }

    [Fact]
    public async Task ReadAll_StoreIsGoneAndProcessLeaves_FailsTwiceAndThenLeavesWithout()
    {
        await _table.ReadAll();
        _store.IsGone = true;
        await _departure.StopAsync(TestContext.Current.CancellationToken);

        await Assert.ThrowsAsync<TimeoutException>(_table.ReadAll);
        Assert.True(_membership.UseLivenessGossip);
        await Assert.ThrowsAsync<TimeoutException>(_table.ReadAll);
        var read = await _table.ReadAll();
        var written = await _table.UpdateRow(Member(Self, SiloStatus.Dead), "7", Next);

        Assert.Equal((Members, true), (read, written));
        Assert.Equal(1 + ClusterMembershipTable.MaxAttempts, _store.Calls);
        Assert.False(_membership.UseLivenessGossip);
    }

    [Fact]
    public async Task UpdateRow_StoreRespondsToAProcessThatLeaves_IsWritten()
    {
        await _departure.StopAsync(TestContext.Current.CancellationToken);

        await _table.UpdateRow(Member(Self, SiloStatus.Dead), "7", Next);

        Assert.Equal(1, _store.Calls);
    }

    /// <summary>One member is joining, another is active, the third is an earlier process at this port.</summary>
    [Theory]
    [InlineData(11112, 0, false)]
    [InlineData(11112, 299, false)]
    [InlineData(11112, 301, true)]
    [InlineData(11113, 0, true)]
    [InlineData(11111, 0, true)]
    public async Task UpdateRow_VoteAgainstAMember_IsWrittenUnlessItIsJoining(int port, int seconds, bool isWritten)
    {
        await _table.ReadAll();
        _time.Advance(TimeSpan.FromSeconds(seconds));

        var written = await _table.UpdateRow(Member(Address(port, 1), SiloStatus.Dead), "7", Next);

        Assert.Equal((isWritten, isWritten ? 2 : 1), (written, _store.Calls));
    }

    private static SiloAddress Address(int port, int generation) =>
        SiloAddress.New(IPAddress.Loopback, port, generation);

    private static MembershipEntry Member(SiloAddress address, SiloStatus status) =>
        new() { SiloAddress = address, Status = status, StartTime = Start.UtcDateTime };

    private sealed class Details : ILocalSiloDetails
    {
        public string Name => "self";

        public string ClusterId => "herd";

        public string DnsHostName => "localhost";

        public SiloAddress SiloAddress => Self;

        public SiloAddress GatewayAddress => SiloAddress;
    }

    private sealed class Store : IMembershipTable
    {
        public bool IsGone { get; set; }

        public int Calls { get; private set; }

        public Task InitializeMembershipTable(bool tryInitTableVersion) => Call(true);

        public Task DeleteMembershipTableEntries(string clusterId) => Call(true);

        public Task CleanupDefunctSiloEntries(DateTimeOffset beforeDate) => Call(true);

        public Task<MembershipTableData> ReadRow(SiloAddress key) => Call(Members);

        public Task<MembershipTableData> ReadAll() => Call(Members);

        public Task<bool> InsertRow(MembershipEntry entry, TableVersion tableVersion) => Call(true);

        public Task<bool> UpdateRow(MembershipEntry entry, string etag, TableVersion tableVersion) => Call(true);

        public Task UpdateIAmAlive(MembershipEntry entry) => Call(true);

        private Task<T> Call<T>(T result)
        {
            Calls++;
            return IsGone ? Task.FromException<T>(new TimeoutException()) : Task.FromResult(result);
        }
    }
}
