namespace Herd.Grains.Routing.Policies;

/// <summary>
/// The node with the shortest predicted time to the first token (<see cref="TtftPredictor"/>). Predictions are not
/// exact, so nodes within a margin of the best count as equal. Of these the home is chosen, or else the node with the
/// fewest sessions.
/// </summary>
internal sealed class PredictedTtft : IRoutingPolicy
{
    private const double MarginShare = 0.2;
    private const double MarginSeconds = 0.05;

    public string Name => "predicted-ttft";

    public int Choose(RoutingTable table, RouteRequest request, double now)
    {
        var scan = new Scan(table, request, now);
        var shared = table.NodesWith(request.Prefix);
        var home = table.IndexOf(request.Home);
        var least = Math.Min(scan.Least(), AtHand(home));
        foreach (var node in shared)
        {
            least = Math.Min(least, AtHand(table.IndexOf(node)));
        }

        if (home >= 0 && IsNear(AtHand(home), least))
        {
            return home;
        }

        var best = scan.FewestSessions(least);
        foreach (var node in shared)
        {
            var index = table.IndexOf(node);
            if (IsNear(AtHand(index), least) && (best < 0 || table.Sessions[index] < table.Sessions[best]))
            {
                best = index;
            }
        }

        return best;

        // On a few nodes there are more origins of the KV cache than replay and pull.
        double AtHand(int index) => index >= 0 && table.IsPossible(index, request)
            ? TtftPredictor.Predict(table, index, request, now).Total
            : double.PositiveInfinity;
    }

    public static bool IsNear(double seconds, double least) => seconds <= Near(least);

    /// <summary>
    /// The upper bound of predictions that count as equal to the best; negative infinity if there is no best.
    /// </summary>
    private static double Near(double least) =>
        double.IsInfinity(least) ? double.NegativeInfinity : (least + MarginSeconds) / (1 - MarginShare);

    /// <summary>
    /// The predictions for all nodes, with replay and pull as the only origins of the KV cache; infinite for nodes that
    /// are not possible.
    /// </summary>
    private readonly ref struct Scan
    {
        private readonly ReadOnlySpan<int> _sessions;
        private readonly Span<double> _seconds;

        public Scan(RoutingTable table, RouteRequest request, double now)
        {
            _sessions = table.Sessions;
            _seconds = table.Scratch;
            var (tokens, bytes) = TtftPredictor.Pulled(table, request);
            var waits = table.Waits;
            var perToken = table.PerToken;
            var perShortPrompt = table.PerShortPrompt;
            var pullWaits = table.PullWaits;
            var perByte = table.PerPulledByte;
            var reportedAt = table.ReportedAt;
            for (var index = 0; index < _seconds.Length; index++)
            {
                var kv = Math.Min(
                    TtftPredictor.Prefill(request.Tokens, perToken[index], perShortPrompt[index]),
                    TtftPredictor.Prefill(tokens, perToken[index], perShortPrompt[index])
                        + pullWaits[index] + (bytes * perByte[index]));
                _seconds[index] = (waits[index] + kv) * TtftPredictor.StalenessPenalty(now - reportedAt[index]);
            }

            foreach (var node in request.Excluded)
            {
                if (table.IndexOf(node) is >= 0 and var index)
                {
                    _seconds[index] = double.PositiveInfinity;
                }
            }
        }

        public double Least()
        {
            var least = double.PositiveInfinity;
            foreach (var seconds in _seconds)
            {
                least = Math.Min(least, seconds);
            }

            return least;
        }

        public int FewestSessions(double least)
        {
            var best = -1;
            var near = Near(least);
            for (var index = 0; index < _seconds.Length; index++)
            {
                if (_seconds[index] <= near && (best < 0 || _sessions[index] < _sessions[best]))
                {
                    best = index;
                }
            }

            return best;
        }
    }
}
