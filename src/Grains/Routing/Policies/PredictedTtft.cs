namespace Herd.Grains.Routing.Policies;

/// <summary>
/// The least time to the first token that is foreseen (<see cref="Forecasts"/>). What is foreseen is not exact, so nodes within
/// a margin of the best are as good: of these the home keeps the turn, else the one with the fewest sessions takes it.
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
        var home = table.PlaceOf(request.Home);
        var least = Math.Min(scan.Least(), AtHand(home));
        foreach (var node in shared)
        {
            least = Math.Min(least, AtHand(table.PlaceOf(node)));
        }

        if (home >= 0 && IsNear(AtHand(home), least))
        {
            return home;
        }

        var best = scan.FewestSessions(least);
        foreach (var node in shared)
        {
            var place = table.PlaceOf(node);
            if (IsNear(AtHand(place), least) && (best < 0 || table.Sessions[place] < table.Sessions[best]))
            {
                best = place;
            }
        }

        return best;

        // On a few nodes something more may be at hand than replaying and pulling.
        double AtHand(int place) => place >= 0 && table.IsPossible(place, request)
            ? Forecasts.Of(table, place, request, now).Total
            : double.PositiveInfinity;
    }

    public static bool IsNear(double seconds, double least) => seconds <= Near(least);

    /// <summary>What is as good as the best; nothing is where there is no best.</summary>
    private static double Near(double least) =>
        double.IsInfinity(least) ? double.NegativeInfinity : (least + MarginSeconds) / (1 - MarginShare);

    /// <summary>
    /// What is foreseen for every node, were nothing at hand on any but what can be pulled; infinite where the turn cannot go.
    /// </summary>
    private readonly ref struct Scan
    {
        private readonly ReadOnlySpan<int> _sessions;
        private readonly Span<double> _seconds;

        public Scan(RoutingTable table, RouteRequest request, double now)
        {
            _sessions = table.Sessions;
            _seconds = table.Scratch;
            var (tokens, bytes) = Forecasts.Pulled(table, request);
            var waits = table.Waits;
            var perToken = table.PerToken;
            var perShortPrompt = table.PerShortPrompt;
            var pullWaits = table.PullWaits;
            var perByte = table.PerPulledByte;
            var reportedAt = table.ReportedAt;
            for (var place = 0; place < _seconds.Length; place++)
            {
                var kv = Math.Min(
                    Forecasts.Prefill(request.Tokens, perToken[place], perShortPrompt[place]),
                    Forecasts.Prefill(tokens, perToken[place], perShortPrompt[place]) + pullWaits[place] + (bytes * perByte[place]));
                _seconds[place] = (waits[place] + kv) * Forecasts.Doubt(now - reportedAt[place]);
            }

            foreach (var node in request.Excluded)
            {
                if (table.PlaceOf(node) is >= 0 and var place)
                {
                    _seconds[place] = double.PositiveInfinity;
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
            for (var place = 0; place < _seconds.Length; place++)
            {
                if (_seconds[place] <= near && (best < 0 || _sessions[place] < _sessions[best]))
                {
                    best = place;
                }
            }

            return best;
        }
    }
}
