using Herd.Inference.Runtime;

namespace Herd.LlamaCpp.Tests;

/// <summary>What every runtime behind the seam must do, shown on llama.cpp.</summary>
[Collection(nameof(Models))]
public sealed class ContextTests(Models models)
{
    private static readonly int[] Text = [.. Enumerable.Range(10, 40)];

    [Fact]
    public void SaveAndLoad_OtherSequence_GoesOnTheSame()
    {
        using var context = New();
        var expected = Decode(context, 0, Text, 0);
        using var state = new StateBuffer(context.StateBytes(0));
        context.Save(0, state);
        context.Load(5, state);

        Assert.Equal(Decode(context, 0, [7], Text.Length), Decode(context, 5, [7], Text.Length));
        Assert.True(context.Truncate(5, Text.Length - 1));
        Near(expected, Decode(context, 5, [Text[^1]], Text.Length - 1));
    }

    [Fact]
    public void Load_OtherContext_GoesOnTheSame()
    {
        using var one = New();
        using var other = New();
        Decode(one, 0, Text, 0);
        using var state = new StateBuffer(one.StateBytes(0));
        one.Save(0, state);
        other.Load(3, state);

        Assert.Equal(one.Layout, other.Layout);
        Near(Decode(one, 0, [7], Text.Length), Decode(other, 3, [7], Text.Length));
    }

    [Fact]
    public void Copy_ThenTruncated_SharesTheBeginningOnly()
    {
        using var context = New();
        Decode(context, 0, Text, 0);
        context.Copy(0, 2);
        Assert.True(context.Truncate(2, 20));

        Near(Decode(context, 1, [.. Text[..20], 9], 0), Decode(context, 2, [9], 20));
        Near(Decode(context, 3, [.. Text, 9], 0), Decode(context, 0, [9], Text.Length));
    }

    /// <summary>Sequences with gaps between their ids, given in any order, and idle ones with cells of their own in the gaps.</summary>
    [Fact]
    public void Decode_ScatteredSequences_ComputesEachAndLeavesIdleOnesAlone()
    {
        using var context = New();
        var idle = Enumerable.Range(0, 8).ToDictionary(sequence => sequence, sequence => Text[..(10 + sequence)]);
        foreach (var (sequence, tokens) in idle)
        {
            Decode(context, sequence, tokens, 0);
        }

        var batch = new TokenBatch(16);
        int[] scattered = [6, 1, 3];
        foreach (var sequence in scattered)
        {
            batch.Add(100 + sequence, idle[sequence].Length, sequence, output: true);
        }

        context.Decode(batch);
        var found = scattered.Select((_, i) => context.Logits(i).ToArray()).ToList();

        using var reference = New();
        foreach (var (i, sequence) in scattered.Index())
        {
            Near(Decode(reference, sequence, [.. idle[sequence], 100 + sequence], 0), found[i]);
        }

        foreach (var sequence in idle.Keys.Except(scattered))
        {
            Near(
                Decode(reference, sequence, [.. idle[sequence], 50], 0),
                Decode(context, sequence, [50], idle[sequence].Length));
        }
    }

    private ILlamaContext New() => models.Tiny.CreateContext(
        new ContextOptions { Sequences = 8, CellsPerSequence = 128, BatchTokens = 64, Threads = 1 });

    /// <summary>The logits after the last token.</summary>
    private static float[] Decode(ILlamaContext context, int sequence, int[] tokens, int position)
    {
        var batch = new TokenBatch(64);
        for (var i = 0; i < tokens.Length; i++)
        {
            batch.Add(tokens[i], position + i, sequence, output: i == tokens.Length - 1);
        }

        context.Decode(batch);
        return context.Logits(tokens.Length - 1).ToArray();
    }

    /// <summary>Batches of other shapes add up in another order.</summary>
    private static void Near(float[] expected, float[] actual) =>
        Assert.All(expected.Zip(actual), pair => Assert.InRange(pair.Second - pair.First, -0.02f, 0.02f));
}
