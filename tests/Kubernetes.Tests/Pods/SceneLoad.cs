using Herd.Cli.Chaos;
using Herd.V1;

namespace Herd.Kubernetes.Tests.Pods;

/// <summary>Conversations that run through a scene, and what their users received.</summary>
internal sealed class SceneLoad : IDisposable
{
    private const int AnswerTokens = 300;
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    private readonly CancellationTokenSource _end = new();
    private readonly CancellationTokenSource _abort = new();
    private readonly PodCluster _cluster;
    private readonly HashSet<Pod> _before;
    private readonly ChaosUsers _users;
    private readonly Task<IReadOnlyList<TurnRecord>> _talking;

    private SceneLoad(PodCluster cluster, int users, int seed)
    {
        (_cluster, _before) = (cluster, cluster.Ever.Where(pod => pod.HasEnded).ToHashSet());
        _users = new ChaosUsers(cluster.GatewayAt, new ChaosTalk(users, seed, AnswerTokens));
        _talking = _users.Talk(_end.Token, _abort.Token);
    }

    /// <summary>Begins, and waits until every node generates answers.</summary>
    public static async Task<SceneLoad> Start(PodCluster cluster, int seed, int users = 24)
    {
        var load = new SceneLoad(cluster, users, seed);
        while ((await cluster.GatewayAt(0).Cluster.ListNodesAsync(new ListNodesRequest())).Nodes.Any(
            node => node.Active == 0))
        {
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        return load;
    }

    /// <summary>Lets the users finish, and compares what they received with what is stored.</summary>
    /// <returns>The outcome for the users.</returns>
    public async Task<SceneOutcome> End()
    {
        await _end.CancelAsync();
        _abort.CancelAfter(Timeout);
        var seen = await _talking;
        var stored = await _users.ReadStored(seen, _abort.Token);
        var violations = HistoryChecker.Check(seen, stored, gatewaysStayed: false);
        Assert.True(violations.Count == 0, string.Join(Environment.NewLine, violations));
        var later = seen.GroupBy(turn => turn.Conversation).SelectMany(turns => turns.Skip(1)).ToList();
        var outcome = new SceneOutcome(
            seen.Count,
            later.Count == 0 ? 1 : (double)later.Count(turn => turn.IsWarm) / later.Count,
            seen.Count(turn => turn.Nodes > 1),
            seen.Max(turn => turn.LongestGap),
            seen.Count(turn => turn.Connections > 1),
            _cluster.Ever.Except(_before).Count(pod => pod.WasKilled));
        TestContext.Current.TestOutputHelper?.WriteLine($"{outcome}");
        return outcome;
    }

    public void Dispose()
    {
        _end.Dispose();
        _abort.Dispose();
    }
}

/// <summary>The outcome for the users. None of their turns failed, and no token was lost or repeated.</summary>
/// <param name="Turns">The number of answered turns.</param>
/// <param name="Warm">The share of later turns whose history was cached.</param>
/// <param name="Moved">The number of answers that another node continued.</param>
/// <param name="LongestGap">The longest silence in an answer.</param>
/// <param name="Reconnected">The number of turns that took more than one connection.</param>
/// <param name="Killed">The number of pods that did not end within their grace period.</param>
internal sealed record SceneOutcome(
    int Turns, double Warm, int Moved, TimeSpan LongestGap, int Reconnected, int Killed);
