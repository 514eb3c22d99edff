using System.Reflection;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Conversations;
using Herd.Gateway.Hosting;
using Herd.Grains.Conversations.Deletions;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Gateway.Tests.Conversations;

public sealed class RetentionSweepTests : IRetentionIndex, IDisposable
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch + TimeSpan.FromDays(100));
    private readonly Dictionary<StoredName, DateTimeOffset> _index = [];
    private readonly Dictionary<string, DateTimeOffset?> _used = [];
    private readonly RetentionSweep _sweep;
    private bool _mayBegin = true;

    public RetentionSweepTests() => _sweep = new RetentionSweep(
        this,
        FakeFactory.New(key => FakeConversation.New(_used, key)),
        Options.Create(new GatewayOptions { Retention = Day }),
        _time,
        NullLogger<RetentionSweep>.Instance);

    private DateTimeOffset Now => _time.GetUtcNow();

    public void Dispose() => _sweep.Dispose();

    [Fact]
    public async Task Sweep_SomeAreUnused_DeletesThoseOnly()
    {
        Add("old", indexed: Now - (2 * Day), used: Now - (2 * Day));
        Add("used since", indexed: Now - (2 * Day), used: Now);
        Add("new", indexed: Now, used: Now);
        Add("gone", indexed: Now - (2 * Day), used: null);

        Assert.Equal(1, await Sweep());

        Assert.Equal(["t/new", "t/used since"], _used.Keys.Where(key => _used[key] is not null).Order());
        Assert.Equal(["new", "used since"], _index.Keys.Select(name => name.Conversation).Order());
        Assert.Equal(Now, _index[new StoredName("t", "used since")]);
    }

    [Fact]
    public async Task Sweep_AnotherGatewaySweeps_DoesNothing()
    {
        Add("old", indexed: Now - (2 * Day), used: Now - (2 * Day));
        _mayBegin = false;

        Assert.Equal(0, await Sweep());
    }

    [Fact]
    public async Task Sweep_Many_DoesABoundedNumberAndTheRestLater()
    {
        for (var i = 0; i < 1500; i++)
        {
            Add($"{i}", indexed: Now - (2 * Day), used: Now - (2 * Day));
        }

        var deleted = (await Sweep(), await Sweep(), await Sweep());

        Assert.Equal((1000, 500, 0), deleted);
    }

    /// <summary>It is being answered, or a newer version wrote it. It is tried again, after the others.</summary>
    [Fact]
    public async Task Sweep_OneFails_GoesOnWithTheOthers()
    {
        Add("fails", indexed: Now - (3 * Day), used: DateTimeOffset.MinValue);
        Add("old", indexed: Now - (2 * Day), used: Now - (2 * Day));

        Assert.Equal(1, await Sweep());

        Assert.Equal(Now - Day + TimeSpan.FromHours(1), _index[new StoredName("t", "fails")]);
    }

    Task<bool> IRetentionIndex.TryBegin(TimeSpan interval) => Task.FromResult(_mayBegin);

    Task<IReadOnlyList<StoredName>> IRetentionIndex.FindUnused(DateTimeOffset since, int count) =>
        Task.FromResult<IReadOnlyList<StoredName>>(
            [.. _index.Where(entry => entry.Value < since).OrderBy(entry => entry.Value).Select(entry => entry.Key)
                .Take(count)]);

    Task<long> IRetentionIndex.CountUnused(DateTimeOffset since) => throw new NotSupportedException();

    Task IRetentionIndex.Record(StoredName name, DateTimeOffset used)
    {
        _index[name] = used;
        return Task.CompletedTask;
    }

    Task IRetentionIndex.Remove(StoredName name)
    {
        _index.Remove(name);
        return Task.CompletedTask;
    }

    private void Add(string id, DateTimeOffset indexed, DateTimeOffset? used)
    {
        _index[new StoredName("t", id)] = indexed;
        _used[Uri.UnescapeDataString(Contracts.GrainKey.Conversation("t", id))] = used;
    }

    private Task<int> Sweep() => _sweep.Sweep(Day, Minute, TestContext.Current.CancellationToken);

    public class FakeFactory : DispatchProxy
    {
        private Func<string, IConversationGrain> _find = null!;

        internal static IGrainFactory New(Func<string, IConversationGrain> find)
        {
            var factory = Create<IGrainFactory, FakeFactory>();
            ((FakeFactory)(object)factory)._find = find;
            return factory;
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
            _find(Uri.UnescapeDataString((string)args![0]!));
    }

    public class FakeConversation : DispatchProxy
    {
        private Dictionary<string, DateTimeOffset?> _used = null!;
        private string _key = "";

        internal static IConversationGrain New(Dictionary<string, DateTimeOffset?> used, string key)
        {
            var conversation = (FakeConversation)(object)Create<IConversationGrain, FakeConversation>();
            (conversation._used, conversation._key) = (used, key);
            return (IConversationGrain)(object)conversation;
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            var used = _used[_key];
            if (used == DateTimeOffset.MinValue)
            {
                throw new HerdException(HerdError.TurnInProgress, "busy");
            }

            if (used is null || used >= (DateTimeOffset)args![0]!)
            {
                return Task.FromResult(new Expiry(false, used));
            }

            _used[_key] = null;
            return Task.FromResult(new Expiry(true, null));
        }
    }
}
