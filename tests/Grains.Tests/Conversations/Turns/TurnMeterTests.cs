using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Grains.Conversations.Turns;
using Herd.Grains.Conversations.Turns.Events;

namespace Herd.Grains.Tests.Conversations.Turns;

public sealed class TurnMeterTests
{
    private static readonly Usage Cold = new(PromptTokens: 100, CompletionTokens: 0, CachedTokens: 60);

    private readonly TurnEvents _events = new();

    [Fact]
    public void Count_PromptBegins_IsAnEventOfItsOwn()
    {
        new TurnMeter(before: null, _events).Count(Prompt(Cold));

        Assert.True(_events.Sent.TryRead(out var update));
        Assert.Equal((40, AnswerDelta.Empty), (update.Computed, update.Delta));
    }

    [Fact]
    public void Count_AnotherNodeComputesThePromptAgain_CountsOnce()
    {
        var meter = new TurnMeter(before: null, _events);
        meter.Count(Prompt(Cold));
        meter.Count(Prompt(Cold with { CachedTokens = 0 }));

        Assert.Equal(40, Computed());
        Assert.Equal(Cold with { CompletionTokens = 3 }, meter.SoFar(3));
        Assert.Equal(
            Cold with { CompletionTokens = 5 },
            meter.Complete(new Usage(PromptTokens: 100, CompletionTokens: 5, CachedTokens: 0)));
    }

    [Fact]
    public void Count_TurnIsTakenAgain_CountsTheNewTokensOnly()
    {
        var meter = new TurnMeter(Cold with { CompletionTokens = 3 }, _events);
        meter.Count(Prompt(Cold with { CachedTokens = 100 }));
        meter.Count(new GenerationEvent([1, 2], "ab", null));

        Assert.Equal(2, Computed());
        Assert.Equal(Cold with { CompletionTokens = 5 }, meter.SoFar(5));
    }

    [Fact]
    public void TakeOver_ReplayBuffer_HasThePromptAndComputesNothing()
    {
        var meter = new TurnMeter(before: null, _events);
        meter.TakeOver(new GenerationEvent([1, 2], "ab", null) { Prompt = Cold });
        meter.Count(Prompt(Cold with { CachedTokens = 100 }));

        Assert.Equal(0, Computed());
        Assert.Equal(Cold with { CompletionTokens = 2 }, meter.SoFar(2));
    }

    [Fact]
    public void Complete_NodeOfAnOlderVersion_CountsThePromptAtTheEnd()
    {
        var meter = new TurnMeter(before: null, _events);
        meter.Count(new GenerationEvent([1, 2], "ab", null));
        Assert.Null(meter.SoFar(2));

        Assert.Equal(Cold with { CompletionTokens = 2 }, meter.Complete(Cold with { CompletionTokens = 2 }));
        Assert.Equal(42, Computed());
    }

    private static GenerationEvent Prompt(Usage prompt) => new([], "", null) { Prompt = prompt };

    /// <summary>What all events have computed, those to come included.</summary>
    private int Computed()
    {
        _events.Write(new TurnEvent());
        var computed = 0;
        while (_events.Sent.TryRead(out var update))
        {
            computed += update.Computed;
        }

        return computed;
    }
}
