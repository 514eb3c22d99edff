using System.Reflection;
using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Grains.Conversations;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Routing;
using Herd.Grains.Scaling;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using StackExchange.Redis;

namespace Herd.Simulator.Faults;

/// <summary>A cluster of faulty nodes, a store that comes and goes, and the real code of gateways on top.</summary>
internal sealed class FaultWorld : IConversationStore
{
    public const string Model = "m";

    private readonly Dictionary<string, FaultyNode> _nodes;
    private readonly List<string> _violations = [];
    private readonly Dictionary<string, long> _epochs = [];
    private readonly HashSet<(string Turn, int At, int Token)> _produced = [];
    private StoredConversation? _stored;
    private string? _owner;

    public FaultWorld(int seed)
    {
        Random = new Random(seed);
        _nodes = Enumerable.Range(1, 2 + Random.Next(3)).Select(i => new FaultyNode($"n{i}", this)).ToDictionary(node => node.Name);
        View = new ClusterView(Options.Create(new RoutingOptions()), Pools.None, Time);
        foreach (var node in _nodes.Values)
        {
            View.Update(node.Report());
        }

        Grains = DispatchProxy.Create<IGrainFactory, SessionFactory>();
        ((SessionFactory)(object)Grains).Find = key => _nodes[GrainKey.Split(key)[0]].SessionOf(key);
    }

    public FakeTimeProvider Time { get; } = new();

    public Random Random { get; }

    public ClusterView View { get; }

    public IGrainFactory Grains { get; }

    public IReadOnlyList<FaultyNode> Nodes => [.. _nodes.Values];

    public bool IsStoreAway { get; set; }

    public IReadOnlyList<string> Violations => _violations;

    public Conversation? Stored => _stored?.Conversation;

    /// <summary>What a gateway runs turns with.</summary>
    public TurnRunner NewRunner() => new(
        View, new TurnPlacement(View, Pools.None, Time), new TurnStream(View, Grains, Time), NullLogger<TurnRunner>.Instance);

    public static int Length(string turn) => 20 + (Math.Abs(Hash(turn, -1)) % 60);

    /// <summary>A token of an answer. Now and then nodes round differently, so an answer is the one that one of them gave.</summary>
    public static int Token(string turn, int at, int rounding) => Math.Abs(Hash(turn, at) + (at % 5 == 0 ? rounding : 0)) % 1000;

    public static string Text(int token) => (token % 5) switch
    {
        0 => "\u00e9",
        1 => "\u65e5",
        2 => "\ud83d\ude00",
        _ => "ab",
    };

    /// <summary>Notes that a node extends the conversation. It may not under an older epoch than it has seen.</summary>
    public void Extend(string node, long epoch, string turn, int at, IReadOnlyList<int> tokens)
    {
        var newest = _epochs.GetValueOrDefault(node);
        Require(epoch >= newest, $"{node} extends {turn} by {tokens.Count} tokens at {at} under epoch {epoch} after {newest}");
        _epochs[node] = epoch;
        _produced.UnionWith(tokens.Select((token, i) => (turn, at + i, token)));
    }

    /// <summary>What a node is to go on from must have been produced.</summary>
    public void Check(string node, string turn, IReadOnlyList<int> produced) =>
        Require(produced.Select((token, at) => (turn, at, token)).All(_produced.Contains), $"{node} is to go on from tokens of {turn} that nobody produced");

    /// <summary>A node that is started anew has seen no epoch.</summary>
    public void Forget(string node) => _epochs.Remove(node);

    public void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            _violations.Add(otherwise);
        }
    }

    public Task<StoredConversation?> Read(string tenant, string id, CancellationToken cancellation) =>
        IsStoreAway ? throw Away() : Task.FromResult(_stored);

    public async Task<StoredConversation> Write(
        string tenant, StoredConversation? expected, Conversation conversation, int firstTurn, ConversationKind kind, string owner)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(Random.Next(10)), Time);
        if (IsStoreAway)
        {
            throw Away();
        }

        if (_owner != owner && expected?.Revision != _stored?.Revision)
        {
            throw new ConversationConflictException(conversation.Id);
        }

        Require(conversation.Epoch >= (_stored?.Conversation.Epoch ?? 0), "an older epoch is stored over a newer one");
        _owner = owner;
        _stored = new StoredConversation(conversation, (_stored?.Revision ?? 0) + 1);

        // It has landed, and its writer does not learn of it.
        return Random.Next(40) == 0 ? throw Away() : _stored;
    }

    public Task<long> Count(string tenant) => throw new NotSupportedException();

    public Task Delete(string tenant, string id) => throw new NotSupportedException();

    public Task<ConversationPage> List(string tenant, int size, string? after) => throw new NotSupportedException();

    private static RedisConnectionException Away() => new(ConnectionFailureType.SocketClosed, "away");

    private static int Hash(string turn, int at)
    {
        var hash = 17;
        foreach (var character in turn)
        {
            hash = (hash * 31) + character;
        }

        return (hash * 31) + (at * 7919);
    }
}
