using Herd.Grains.Scaling;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Grains.Tests.Scaling;

public sealed class PoolScalerTests
{
    private static readonly ScalingOptions Options = new() { ScaleDownDelay = TimeSpan.FromMinutes(5) };
    private readonly FakeTimeProvider _time = new();
    private readonly HashSet<string> _there = ["a", "b", "c"];
    private readonly PoolScaler _scaler;

    public PoolScalerTests() => _scaler = New(max: 8);

    [Fact]
    public void Observe_MoreIsNeeded_AsksAtOnce()
    {
        Observe(sequences: 12);
        Observe(sequences: 30);

        Assert.Equal(4, _scaler.Advice.Wanted);
    }

    [Fact]
    public void Observe_FewerAreEnough_WaitsAndThenEmptiesOneBeforeAskingForFewer()
    {
        Observe(sequences: 12);
        Assert.False(_scaler.IsOneTooMany);
        Rest(Options.ScaleDownDelay - TimeSpan.FromSeconds(2));
        Assert.False(_scaler.IsOneTooMany);
        Rest(TimeSpan.FromSeconds(3));

        Assert.True(_scaler.IsOneTooMany);
        _scaler.Retire("b");
        Observe(sequences: 12);
        Assert.Equal(3, _scaler.Advice.Wanted);
        _scaler.RecordEmpty("b");
        Observe(sequences: 12);

        Assert.Equal((2, 2), (_scaler.Advice.Wanted, _scaler.Advice.Ready));
        Assert.False(_scaler.IsOneTooMany);
        _there.Remove("b");
        Observe(sequences: 12);
        Assert.Equal((2, 0), (_scaler.Advice.Wanted, _scaler.Advice.Retiring.Count));
    }

    [Fact]
    public void Observe_LoadComesBackMeanwhile_KeepsTheNode()
    {
        Observe(sequences: 12);
        Rest(Options.ScaleDownDelay + TimeSpan.FromSeconds(1));
        _scaler.Retire("b");

        Observe(sequences: 30);

        Assert.Empty(_scaler.Advice.Retiring);
        Assert.Equal(4, _scaler.Advice.Wanted);
    }

    [Fact]
    public void Observe_NobodyTakesTheEmptyNode_LetsItServeAgainAndRests()
    {
        Observe(sequences: 12);
        Rest(Options.ScaleDownDelay + TimeSpan.FromSeconds(1));
        _scaler.Retire("b");
        _scaler.RecordEmpty("b");
        Rest(TimeSpan.FromMinutes(5));
        Assert.Equal(["b"], _scaler.Retiring);

        Rest(TimeSpan.FromSeconds(2));

        Assert.Empty(_scaler.Retiring);
        Rest(Options.ScaleDownDelay);
        Assert.False(_scaler.IsOneTooMany);
        Rest(TimeSpan.FromMinutes(30));
        Assert.True(_scaler.IsOneTooMany);
    }

    /// <summary>Of twenty, two go together: Kubernetes' autoscaler takes one for noise.</summary>
    [Fact]
    public void Observe_LargePool_EmptiesEnoughForTheAutoscalerToAct()
    {
        for (var i = 0; i < 17; i++)
        {
            _there.Add($"n{i}");
        }

        Observe(sequences: 10);
        Rest(Options.ScaleDownDelay + TimeSpan.FromSeconds(1));
        foreach (var node in new[] { "a", "b", "c" })
        {
            Assert.True(_scaler.IsOneTooMany);
            Assert.Equal(20, _scaler.Advice.Wanted);
            _scaler.Retire(node);
            Observe(sequences: 10);
            _scaler.RecordEmpty(node);
        }

        Observe(sequences: 10);

        Assert.False(_scaler.IsOneTooMany);
        Assert.Equal(17, _scaler.Advice.Wanted);
    }

    /// <summary>Nodes that come up one after the other are not too many at once.</summary>
    [Fact]
    public void Observe_ScalerIsNew_KeepsWhatThereIs()
    {
        var there = _there.ToList();
        _there.Clear();
        foreach (var node in there)
        {
            Observe(sequences: 0);
            _there.Add(node);
            _time.Advance(Options.ScaleDownDelay / 4);
        }

        Observe(sequences: 0);

        Assert.Equal((3, false), (_scaler.Advice.Wanted, _scaler.IsOneTooMany));
    }

    private PoolScaler New(int max) => new(new PoolOptions { Model = "m", Min = 1, Max = max }, Options, _time);

    private void Observe(int sequences)
    {
        var ready = _there.Count - _scaler.Retiring.Count(_there.Contains);
        _scaler.Observe(
            new PoolLoad
            {
                Ready = ready,
                Slots = ready * 10,
                Sequences = sequences,
                ForgottenIdle = double.PositiveInfinity,
            }, _there);
    }

    private void Rest(TimeSpan time)
    {
        for (var end = _time.GetUtcNow() + time; _time.GetUtcNow() < end; Observe(sequences: 5))
        {
            _time.Advance(TimeSpan.FromSeconds(1));
        }
    }
}
