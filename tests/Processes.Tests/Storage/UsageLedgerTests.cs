using Herd.Contracts.Conversations;
using Herd.Grains.Accounting.Ledger;
using Herd.Grains.Conversations.Storage;
using StackExchange.Redis;

namespace Herd.Processes.Tests.Storage;

/// <summary>The same tests for every server. Each starts with an empty store.</summary>
/// <typeparam name="TServer">The server that the tests of a class share.</typeparam>
public abstract class UsageLedgerTests<TServer>(TServer server)
    : IClassFixture<TServer>, IAsyncLifetime
    where TServer : StoreServer
{
    private protected static readonly DateOnly Day = new(2026, 1, 31);

    private StoreConnection _connection = null!;

    private protected TServer Server => server;

    private protected RedisUsageLedger Ledger { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        await server.Clear();
        _connection = new StoreConnection(ConfigurationOptions.Parse(server.Process.Address));
        await _connection.StartAsync(TestContext.Current.CancellationToken);
        Ledger = new RedisUsageLedger(_connection);
    }

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Write_SameRecordAgain_CountsOnce()
    {
        var record = Record("1", UsageState.Completed, 100, 40, 7);

        await Ledger.Write([record]);
        var added = await Ledger.Write([record, record]);

        Assert.Empty(added);
        Assert.Equal([Sum(UsageState.Completed, 1, 100, 40, 7)], await Ledger.Read(Day));
    }

    [Fact]
    public async Task Write_TurnGoesOnAndEnds_IsInTheSumOfItsState()
    {
        await Ledger.Write([Record("1", UsageState.Running, 100, 40, 3)]);
        await Ledger.Write([Record("1", UsageState.Running, 100, 40, 5)]);
        Assert.Equal([Sum(UsageState.Running, 1, 100, 40, 5)], await Ledger.Read(Day));

        var added = await Ledger.Write([Record("1", UsageState.Completed, 100, 40, 7)]);

        Assert.Equal(
            [Sum(UsageState.Running, -1, -100, -40, -5), Sum(UsageState.Completed, 1, 100, 40, 7)], added);
        Assert.Equal(
            [Sum(UsageState.Running, 0, 0, 0, 0), Sum(UsageState.Completed, 1, 100, 40, 7)], await Ledger.Read(Day));
    }

    /// <summary>A gateway that was frozen writes what it had when others have completed the turn.</summary>
    [Fact]
    public async Task Write_OlderRecordComesLate_ChangesNothing()
    {
        await Ledger.Write([Record("1", UsageState.Completed, 100, 40, 7)]);

        await Ledger.Write([Record("1", UsageState.Running, 100, 0, 9), Record("1", UsageState.Aborted, 100, 90, 3)]);

        Assert.Equal([Sum(UsageState.Completed, 1, 100, 40, 7)], await Ledger.Read(Day));
    }

    /// <summary>The delivered part was lost with its node; the answer that was delivered at last counts.</summary>
    [Fact]
    public async Task Write_AnswerBeganAnew_CountsWhatWasCompleted()
    {
        await Ledger.Write([Record("1", UsageState.Running, 100, 40, 50)]);
        await Ledger.Write([Record("1", UsageState.Completed, 100, 40, 20)]);

        Assert.Equal(Sum(UsageState.Completed, 1, 100, 40, 20), (await Ledger.Read(Day))[1]);
    }

    [Fact]
    public async Task Write_CopiedOrOldTurn_CountsWhatIsNew()
    {
        await Ledger.Write(
            [Record("1", UsageState.Completed, 100, 40, 20) with { Before = new Usage(100, 12, 40) }]);

        Assert.Equal([Sum(UsageState.Completed, 0, 0, 0, 8)], await Ledger.Read(Day));
    }

    [Fact]
    public async Task Write_TwoWritersAtOnce_CountEachTurnOnce()
    {
        var records = Enumerable.Range(0, 1000)
            .Select(i => Record($"{i}", UsageState.Completed, 10, 4, 1) with { Key = $"k{i % 3}" })
            .ToList();

        await Task.WhenAll(Enumerable.Range(0, 4).Select(writer => Task.Run(async () =>
        {
            foreach (var chunk in records.Chunk(100 + writer))
            {
                await Ledger.Write(chunk);
            }
        })));

        var sums = await Ledger.Read(Day);
        Assert.Equal(["k0", "k1", "k2"], sums.Select(sum => sum.Key).Order());
        Assert.Equal(
            (1000L, 10_000L, 4000L, 1000L),
            (
                sums.Sum(sum => sum.Turns),
                sums.Sum(sum => sum.PromptTokens),
                sums.Sum(sum => sum.CachedTokens),
                sums.Sum(sum => sum.CompletionTokens)));
    }

    /// <summary>Any order of the records of turns, with repeats, and in any batches, has the same sums.</summary>
    [Fact]
    public async Task Write_AnyOrderWithRepeats_HasTheSameSums()
    {
        for (var seed = 0; seed < 40; seed++)
        {
            var random = new Random(seed);
            var records = Enumerable.Range(0, 5).SelectMany(turn => Life($"{seed}-{turn}", random)).ToList();
            var (one, other) = (Day.AddDays(2 * seed + 1), Day.AddDays(2 * seed + 2));
            await Ledger.Write([.. records.Select(record => record with { Day = one })]);

            var shuffled = records.Concat(records).ToArray();
            random.Shuffle(shuffled);
            foreach (var chunk in shuffled.Chunk(random.Next(1, 8)))
            {
                await Ledger.Write([.. chunk.Select(record => record with { Day = other })]);
            }

            Assert.Equal(await Numbers(one), await Numbers(other));
        }
    }

    [Fact]
    public async Task ReadTurns_OfATenant_AreAsWrittenLast()
    {
        var record = Record("conv/1", UsageState.Aborted, 100, 40, 3) with { Tenant = "jwt:a/b|c d", Model = "m|n/o" };
        await Ledger.Write([record, Record("2", UsageState.Completed, 1, 1, 1)]);

        Assert.Equal([record], await Turns(record.Tenant));
        Assert.Equal(record.Tenant, (await Ledger.Read(Day))[0].Tenant);
        Assert.Equal([record], await Turns(record.Tenant, "conv"));
        Assert.Empty(await Turns(record.Tenant, "con"));
        await Ledger.Prune(Day);
        Assert.Empty(await Turns(record.Tenant));
        Assert.Equal(2, (await Ledger.Read(Day)).Count);
    }

    private ValueTask<List<UsageRecord>> Turns(string tenant, string? conversation = null) =>
        Ledger.ReadTurns(Day, tenant, conversation).ToListAsync(TestContext.Current.CancellationToken);

    private static IEnumerable<UsageRecord> Life(string turn, Random random)
    {
        var (prompt, cached, completion) = (random.Next(1, 100), random.Next(50), 0);
        for (var i = random.Next(1, 6); i > 0; i--)
        {
            completion += random.Next(10);
            yield return Record(turn, (UsageState)random.Next(3), prompt, Math.Min(prompt, cached), completion);
            cached = random.Next(50);
        }

        if (random.Next(2) == 0)
        {
            yield return Record(turn, UsageState.Completed, prompt, Math.Min(prompt, cached), random.Next(60));
        }
    }

    private async Task<IReadOnlyList<string>> Numbers(DateOnly day) =>
    [
        .. (await Ledger.Read(day))
            .Where(sum => sum.Turns > 0)
            .Select(sum => $"{sum with { Day = Day }}")
            .Order(StringComparer.Ordinal),
    ];

    private protected static UsageRecord Record(
        string turn, UsageState state, int prompt, int cached, int completion) => new()
    {
        Turn = turn,
        Tenant = "t",
        Key = "k",
        Model = "m",
        Day = Day,
        State = state,
        Usage = new Usage(prompt, completion, cached),
    };

    private static UsageSum Sum(UsageState state, long turns, long prompt, long cached, long completion) =>
        new(Day, "t", "k", "m", state, turns, prompt, cached, completion);
}

public sealed class RedisLedgerTests(RedisServer server) : UsageLedgerTests<RedisServer>(server);
