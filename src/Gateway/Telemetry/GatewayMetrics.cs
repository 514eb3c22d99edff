using System.Diagnostics;
using System.Diagnostics.Metrics;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Grains.Routing;

namespace Herd.Gateway.Telemetry;

/// <summary>
/// The metrics of a gateway: turns by OpenTelemetry's conventions for generative AI, and the nodes by their reports.
/// They have no tenants and no texts.
/// </summary>
internal sealed class GatewayMetrics : IDisposable
{
    public const string Name = "Herd.Gateway";

    private const string ModelTag = "gen_ai.request.model";

    /// <summary>Bounds in seconds, as the conventions advise.</summary>
    private static readonly InstrumentAdvice<double> Durations = new()
    {
        HistogramBucketBoundaries =
            [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
    };

    private static readonly InstrumentAdvice<double> TokenTimes = new()
    {
        HistogramBucketBoundaries = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5],
    };

    private static readonly InstrumentAdvice<double> Errors = new()
    {
        HistogramBucketBoundaries = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.75, 1, 2, 5, 10],
    };

    private readonly Meter _meter = new(Name);
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _first;
    private readonly Histogram<double> _predicted;
    private readonly Histogram<double> _predictionError;
    private readonly Histogram<double> _perToken;
    private readonly Counter<long> _tokens;
    private readonly Counter<long> _cached;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _failed;
    private readonly UpDownCounter<long> _streams;

    public GatewayMetrics(NodeRegistry registry, Func<IReadOnlyList<PoolAdvice>> pools, Func<long> poisonTurns)
    {
        _duration = _meter.CreateHistogram(
            "gen_ai.server.request.duration", "s", "A turn, from its admission until its end.", null, Durations);
        _first = _meter.CreateHistogram(
            "gen_ai.server.time_to_first_token", "s", "From the admission until the first token.", null, Durations);
        _predicted = _meter.CreateHistogram(
            "herd.time_to_first_token.predicted",
            "s",
            "That time as routing predicted it, of turns that stayed on their first node.",
            null,
            Durations);
        _predictionError = _meter.CreateHistogram(
            "herd.time_to_first_token.error",
            "1",
            "The difference of both as a share of the time that it took, or of 0.1 s if that is more.",
            null,
            Errors);
        _perToken = _meter.CreateHistogram(
            "gen_ai.server.time_per_output_token", "s", "The mean time between tokens of a turn.", null, TokenTimes);
        _tokens = _meter.CreateCounter<long>("herd.tokens", "{token}", "Tokens of prompts and answers.");
        _cached = _meter.CreateCounter<long>(
            "herd.tokens.cached", "{token}", "Tokens of prompts that were in a KV cache.");
        _refused = _meter.CreateCounter<long>(
            "herd.turns.refused", "{turn}", "Turns that were refused at their admission.");
        _failed = _meter.CreateCounter<long>(
            "herd.turns.failed", "{turn}", "Admitted turns that ended with an error.");
        _meter.CreateObservableCounter(
            "herd.turns.poison", poisonTurns, "{turn}", "Turns that failed the nodes that computed them.");
        _streams = _meter.CreateUpDownCounter<long>("herd.streams", "{stream}", "Answers in progress at this gateway.");

        Gauge("herd.node.ready", "1", "1 if the node takes work.", (node, _) => node.State == NodeState.Ready ? 1 : 0);
        Gauge("herd.node.requests.running", "{request}", "Sequences in a slot.", (_, model) => model.Active);
        Gauge("herd.node.requests.waiting", "{request}", "Sequences that wait for a slot.", (_, model) => model.Queued);
        Gauge("herd.node.slots", "{slot}", "Slots.", (_, model) => model.Slots);
        Gauge("herd.node.sessions", "{session}", "Sessions with a slot.", (_, model) => model.Sessions);
        Gauge("herd.node.kv.usage", "1", "The used share of the KV cache, 0 to 1.", (_, model) => KvUsage(model));

        PoolGauge("herd.pool.nodes.wanted", "{node}", "Nodes that a pool should have.", pool => pool.Wanted);
        PoolGauge("herd.pool.nodes.ready", "{node}", "Nodes of a pool that take work.", pool => pool.Ready);
        PoolGauge(
            "herd.pool.time_to_first_token", "s", "The predicted time to a new turn's first token.", pool => pool.Ttft);
        PoolGauge(
            "herd.pool.time_to_first_token.target", "s", "The target of that time.", pool => pool.TargetTtft);
        PoolGauge(
            "herd.pool.slots.usage", "1", "Running and waiting sequences per slot.", pool => pool.SlotUse);
        PoolGauge("herd.pool.turns.held", "{turn}", "Turns that wait for the pool's first node.", pool => pool.Held);

        void PoolGauge(string name, string unit, string description, Func<PoolAdvice, double> of) =>
            _meter.CreateObservableGauge(
                name,
                () => pools().Select(pool => new Measurement<double>(of(pool), Model(pool.Model))),
                unit,
                description);

        void Gauge(string name, string unit, string description, Func<NodeReport, ServedModel, double> of) =>
            _meter.CreateObservableGauge(
                name,
                () => registry.Nodes.SelectMany(node => node.Models.Select(model => new Measurement<double>(
                    of(node, model), new KeyValuePair<string, object?>("node", node.Node), Model(model.Id)))),
                unit,
                description);
    }

    /// <summary>Counts an admitted turn.</summary>
    public void Begin() => _streams.Add(1);

    /// <summary>Records the end of a turn.</summary>
    /// <param name="turn">The completed turn; null if it was not completed.</param>
    /// <param name="total">The time since its admission.</param>
    /// <param name="first">The time from its admission to its first token; null if there was none.</param>
    public void End(Turn? turn, TimeSpan total, TimeSpan? first)
    {
        _streams.Add(-1);
        if (turn?.Usage is not { } usage)
        {
            return;
        }

        var model = new TagList { { ModelTag, turn.Model }, { "gen_ai.operation.name", "chat" } };
        _duration.Record(total.TotalSeconds, model);
        if (first is { } wait)
        {
            _first.Record(wait.TotalSeconds, model);
            if (turn.Placements is [{ Chosen.FirstToken: { } predicted and < double.PositiveInfinity }])
            {
                _predicted.Record(predicted, model);
                _predictionError.Record(PredictionError.Relative(predicted, wait.TotalSeconds), model);
            }

            if (usage.CompletionTokens > 1)
            {
                _perToken.Record((total - wait).TotalSeconds / (usage.CompletionTokens - 1), model);
            }
        }

        _tokens.Add(usage.PromptTokens, [.. model, new("gen_ai.token.type", "input")]);
        _tokens.Add(usage.CompletionTokens, [.. model, new("gen_ai.token.type", "output")]);
        _cached.Add(usage.CachedTokens, model);
    }

    /// <summary>Counts a turn that was refused or failed.</summary>
    public void Refuse(HerdError error) =>
        _refused.Add(1, new KeyValuePair<string, object?>("error.type", error.ToString()));

    /// <summary>Records the failure of an admitted turn.</summary>
    public void Fail(Exception exception) => _failed.Add(1, new KeyValuePair<string, object?>(
        "error.type", exception is HerdException herd ? herd.Error.ToString() : exception.GetType().Name));

    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?> Model(string id) => new(ModelTag, id);

    private static double KvUsage(ServedModel model) =>
        model.KvCapacity == 0 ? 0 : (double)model.KvTokens / model.KvCapacity;
}
