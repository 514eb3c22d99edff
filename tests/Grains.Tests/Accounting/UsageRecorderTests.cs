using Herd.Contracts.Conversations;
using Herd.Grains.Accounting.Ledger;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Grains.Tests.Accounting;

public sealed class UsageRecorderTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly MemoryLedger _ledger = new();
    private readonly UsageRecorder _recorder;

    public UsageRecorderTests() =>
        _recorder = new UsageRecorder(_ledger, _time, NullLogger<UsageRecorder>.Instance);

    public void Dispose() => _recorder.Dispose();

    [Fact]
    public async Task Flush_RecordsOfATurn_WritesTheLatestOnce()
    {
        _recorder.Record(Record("1", 1));
        _recorder.Record(Record("1", 2));
        _recorder.Record(Record("2", 5));

        await _recorder.Flush();
        await _recorder.Flush();

        Assert.Equal([Record("1", 2), Record("2", 5)], Assert.Single(_ledger.Writes));
        Assert.Equal(0, _recorder.Waiting);
    }

    [Fact]
    public async Task Run_ASecondPasses_WritesWhatWaits()
    {
        await _recorder.StartAsync(TestContext.Current.CancellationToken);
        _recorder.Record(Record("1", 1));

        while (_ledger.Writes.Count == 0)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await _recorder.StopAsync(TestContext.Current.CancellationToken);
        Assert.Equal([Record("1", 1)], _ledger.Writes[0]);
    }

    [Fact]
    public async Task Record_WhileItIsWritten_WaitsForTheNextWrite()
    {
        var delay = new TaskCompletionSource();
        _ledger.WriteDelay = delay.Task;
        _recorder.Record(Record("1", 1));
        var writing = _recorder.Flush();
        _recorder.Record(Record("1", 2));
        delay.SetResult();
        await writing;
        Assert.Equal(1, _recorder.Waiting);

        await _recorder.Flush();

        Assert.Equal([Record("1", 2)], _ledger.Latest);
    }

    /// <summary>Turns that end at the same time share a write.</summary>
    [Fact]
    public async Task Write_ManyAtOnce_AreWrittenTogether()
    {
        var delay = new TaskCompletionSource();
        _ledger.WriteDelay = delay.Task;
        var first = _recorder.Write(Record("0", 1));
        var others = Enumerable.Range(1, 9).Select(i => _recorder.Write(Record($"{i}", 1))).ToList();

        delay.SetResult();
        await Task.WhenAll([first, .. others]);

        Assert.Equal([1, 9], _ledger.Writes.Select(records => records.Count));
    }

    [Fact]
    public async Task Write_StoreIsAway_WaitsInMemoryAndIsWrittenLater()
    {
        _ledger.IsAway = true;
        await _recorder.Write(Record("1", 1) with { State = UsageState.Completed });
        Assert.Equal(1, _recorder.Waiting);

        _ledger.IsAway = false;
        await _recorder.Flush();

        Assert.Equal([Record("1", 1) with { State = UsageState.Completed }], _ledger.Latest);
    }

    /// <summary>The first call's tokens were not written yet when the turn is taken again.</summary>
    [Fact]
    public async Task Record_NextCallOfATurnThatWaits_KeepsWhatWasBeforeTheFirst()
    {
        _recorder.Record(Record("1", 3));
        _recorder.Record(Record("1", 5) with { Before = new Usage(10, 3, 0) });

        await _recorder.Flush();

        Assert.Equal([Record("1", 5)], _ledger.Latest);
    }

    [Fact]
    public async Task Stop_RecordsWait_AreWritten()
    {
        await _recorder.StartAsync(TestContext.Current.CancellationToken);
        _recorder.Record(Record("1", 1));

        await _recorder.StopAsync(TestContext.Current.CancellationToken);

        Assert.Single(_ledger.Latest);
    }

    private static UsageRecord Record(string turn, int tokens) => new()
    {
        Turn = turn,
        Tenant = "t",
        Key = "k",
        Model = "m",
        Day = new DateOnly(2026, 1, 31),
        State = UsageState.Running,
        Usage = new Usage(10, tokens, 0),
    };
}
