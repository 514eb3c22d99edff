using Herd.Contracts;
using Herd.Contracts.Nodes;

namespace Herd.Simulator.Faults;

/// <summary>
/// Checks the work of nodes: a node may extend an answer only under the newest epoch that it has seen, and only behind
/// tokens that some node produced.
/// </summary>
internal sealed class AnswerWatch(FaultWorld world)
{
    private readonly Dictionary<Activation, long> _newest = [];
    private readonly HashSet<(string Conversation, string Turn, int At, int Token)> _produced = [];
    private readonly Dictionary<SessionRequest, int> _tokensSeen = new(ReferenceEqualityComparer.Instance);

    /// <summary>The number of pulls.</summary>
    public int Pulled { get; private set; }

    /// <summary>The number of answers that a node continued.</summary>
    public int Continued { get; private set; }

    /// <summary>The number of answers that a client had to restart.</summary>
    public int Restarted { get; set; }

    /// <summary>The number of healthy turns that were refused, because node after node failed under them.</summary>
    public int RefusedByChance { get; set; }

    /// <summary>Records that a node has answered a call.</summary>
    public void Answered(Activation activation, string method, object?[] args, object? answer)
    {
        Pulled += answer is KvPull { Failure: null } ? 1 : 0;
        if (activation.Grain is ISessionGrain && args[0] is long epoch)
        {
            world.Require(
                epoch >= Newest(activation),
                $"{activation.Process.Name} took {method} under epoch {epoch} after {Newest(activation)}");
            _newest[activation] = epoch;
        }
    }

    /// <summary>
    /// The newest epoch that a grain has seen. An answer under an older one has ended.
    /// </summary>
    public long Newest(Activation activation) => _newest.GetValueOrDefault(activation);

    /// <summary>Records that a node has extended an answer.</summary>
    /// <param name="activation">The session's grain on the node.</param>
    /// <param name="request">The request.</param>
    /// <param name="update">The produced tokens.</param>
    /// <param name="newest">The value of <see cref="Newest"/> when the tokens were requested.</param>
    public void Produced(Activation activation, SessionRequest request, GenerationEvent update, long newest)
    {
        if (!world.Cluster.IsFaulty)
        {
            return;
        }

        var (node, key) = (activation.Process.Name, GrainKey.Split(activation.GrainId.Key.ToString()!));
        var conversation = key[2];
        if (!_tokensSeen.TryGetValue(request, out var at))
        {
            at = request.Produced.Count;
            Continued += at > 0 ? 1 : 0;
            var known = request.Produced.Select((token, i) => (conversation, request.Turn, i, token));
            world.Require(
                known.All(_produced.Contains), $"{node} continues {request.Turn} from tokens that no node produced");
        }

        world.Require(
            request.Epoch >= newest,
            $"{node} extends {request.Turn} at {at} under epoch {request.Epoch} after {newest}");
        _newest[activation] = Math.Max(Newest(activation), request.Epoch);
        _produced.UnionWith(update.Tokens.Select((token, i) => (conversation, request.Turn, at + i, token)));
        _tokensSeen[request] = at + update.Tokens.Count;
    }
}
