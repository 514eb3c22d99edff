using System.Diagnostics.Metrics;
using Herd.Contracts.Conversations;
using Herd.Contracts.Placements;
using Herd.Gateway.Telemetry;
using Herd.Grains.Routing;
using Herd.Grains.Scaling;

namespace Herd.Gateway.Tests.Telemetry;

public sealed class GatewayMetricsTests
{
    [Fact]
    public void End_TurnOnOneNode_ComparesThePredictionWithWhatCame()
    {
        var recorded = Record(Turn(predicted: [3]), first: TimeSpan.FromSeconds(4));

        Assert.Equal(3, recorded["herd.time_to_first_token.predicted"]);
        Assert.Equal(0.25, recorded["herd.time_to_first_token.error"]);
    }

    /// <summary>Routing counts predictions within 50 ms as equal: of a fast turn that is a half.</summary>
    [Fact]
    public void End_FastTurn_ComparesWithATenthOfASecond()
    {
        var recorded = Record(Turn(predicted: [0.06]), first: TimeSpan.FromSeconds(0.01));

        Assert.Equal(0.5, recorded["herd.time_to_first_token.error"], 9);
    }

    /// <summary>The first node's prediction says nothing about a turn that went on elsewhere.</summary>
    [Fact]
    public void End_TurnOnTwoNodes_ComparesNothing()
    {
        var recorded = Record(Turn(predicted: [3, 4]), first: TimeSpan.FromSeconds(4));

        Assert.Contains("gen_ai.server.time_to_first_token", recorded);
        Assert.DoesNotContain("herd.time_to_first_token.error", recorded);
    }

    private static Dictionary<string, double> Record(Turn turn, TimeSpan first)
    {
        var recorded = new Dictionary<string, double>();
        using var metrics = new GatewayMetrics(new NodeRegistry(Pools.None, TimeProvider.System), () => [], () => 0);
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == GatewayMetrics.Name)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) =>
        {
            // Other tests have meters of this name too.
            if (tags.ToArray().Any(tag => Equals(tag.Value, turn.Model)))
            {
                recorded[instrument.Name] = value;
            }
        });
        listener.Start();

        metrics.End(turn, first, first);

        return recorded;
    }

    private static Turn Turn(double[] predicted) => new()
    {
        Id = "t",
        State = TurnState.Completed,
        Input = [],
        Created = DateTimeOffset.UnixEpoch,
        Settings = new GenerationSettings(),
        Model = "only-of-this-test",
        Usage = new Usage(1, 1, 0),
        Placements =
        [
            .. predicted.Select(first => new PlacementDecision
            {
                At = DateTimeOffset.UnixEpoch,
                Reason = PlacementReason.Turn,
                Policy = "p",
                Node = "n",
                Considered = [new TtftEstimate("n", 0, KvOrigin.Replay, 0, 0, 1, 9) { FirstToken = first }],
            }),
        ],
    };
}
