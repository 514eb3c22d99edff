using Herd.Inference.Runtime;

namespace Herd.Runtimes.Tests;

/// <summary>The contract of the context of every runtime.</summary>
public sealed class ContextTests(Runtimes runtimes) : IClassFixture<Runtimes>
{
    private static readonly int[] Text = [.. Enumerable.Range(10, 40)];

    [Theory]
    [MemberData(nameof(Runtimes.Names), MemberType = typeof(Runtimes))]
    public void SaveAndLoad_OtherSequence_ContinuesTheSame(string name)
    {
        using var context = New(name);
        var expected = Decode(context, 0, Text, 0);
        using var state = new StateBuffer(context.StateBytes(0));
        context.Save(0, state);
        context.Load(5, state);

        Assert.Equal(Decode(context, 0, [7], Text.Length), Decode(context, 5, [7], Text.Length));
        Assert.True(context.Truncate(5, Text.Length - 1));
        Near(expected, Decode(context, 5, [Text[^1]], Text.Length - 1));
    }

    [Theory]
    [MemberData(nameof(Runtimes.Names), MemberType = typeof(Runtimes))]
    public void Load_OtherContext_ContinuesTheSame(string name)
    {
        using var one = New(name);
        using var other = New(name);
        Decode(one, 0, Text, 0);
        using var state = new StateBuffer(one.StateBytes(0));
        one.Save(0, state);
        other.Load(3, state);

        Assert.Equal(one.Layout, other.Layout);
        Near(Decode(one, 0, [7], Text.Length), Decode(other, 3, [7], Text.Length));
    }

    [Theory]
    [MemberData(nameof(Runtimes.Names), MemberType = typeof(Runtimes))]
    public void Copy_ThenTruncated_SharesTheBeginningOnly(string name)
    {
        using var context = New(name);
        Decode(context, 0, Text, 0);
        context.Copy(0, 2);
        Assert.True(context.Truncate(2, 20));

        Near(Decode(context, 1, [.. Text[..20], 9], 0), Decode(context, 2, [9], 20));
        Near(Decode(context, 3, [.. Text, 9], 0), Decode(context, 0, [9], Text.Length));
    }

    /// <summary>
    /// Sequences with gaps between their ids, given in any order, and idle ones with cells of their own in the gaps.
    /// </summary>
    [Theory]
    [MemberData(nameof(Runtimes.Names), MemberType = typeof(Runtimes))]
    public void Decode_ScatteredSequences_ComputesEachAndLeavesIdleOnesAlone(string name)
    {
        using var context = New(name);
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

        using var reference = New(name);
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

    /// <summary>A prompt computed in pieces beside another sequence says what it says alone and at once.</summary>
    [Theory]
    [MemberData(nameof(Runtimes.Names), MemberType = typeof(Runtimes))]
    public void Decode_InPiecesBesideAnother_ComputesTheSame(string name)
    {
        using var context = New(name);
        using var alone = New(name);
        var batch = new TokenBatch(64);
        foreach (var (from, to) in new[] { (0, 13), (13, 14), (14, 40) })
        {
            batch.Clear();
            for (var position = from; position < to; position++)
            {
                batch.Add(Text[position], position, 2, output: position == Text.Length - 1);
                batch.Add(Text[^(position + 1)], position, 4, output: position == Text.Length - 1);
            }

            context.Decode(batch);
        }

        Near(Decode(alone, 0, Text, 0), context.Logits(batch.Count - 2).ToArray());
        Near(Decode(alone, 1, [.. Text.Reverse()], 0), context.Logits(batch.Count - 1).ToArray());
    }

    /// <summary>Logits of every token that asked for them, and of draft tokens after it, in one batch.</summary>
    [Theory]
    [MemberData(nameof(Runtimes.Names), MemberType = typeof(Runtimes))]
    public void Logits_SeveralOutputsOfASequence_AreThoseAfterEach(string name)
    {
        using var context = New(name);
        using var alone = New(name);
        var batch = new TokenBatch(64);
        for (var i = 0; i < 5; i++)
        {
            batch.Add(Text[i], i, 3, output: i >= 2);
        }

        context.Decode(batch);

        for (var i = 2; i < 5; i++)
        {
            Near(Decode(alone, i, Text[..(i + 1)], 0), context.Logits(i).ToArray());
        }
    }

    [Theory]
    [MemberData(nameof(Runtimes.Names), MemberType = typeof(Runtimes))]
    public void Truncate_ThenOtherTokens_ForgetsTheOldOnes(string name)
    {
        using var context = New(name);
        Decode(context, 0, Text, 0);
        Decode(context, 1, Text, 0);
        Assert.True(context.Truncate(0, 12));
        Assert.True(context.Truncate(1, 0));

        var mixed = Decode(context, 0, [99, 98], 12);
        var fresh = Decode(context, 1, [99, 98], 0);

        using var reference = New(name);
        Near(Decode(reference, 0, [.. Text[..12], 99, 98], 0), mixed);
        Near(Decode(reference, 1, [99, 98], 0), fresh);
    }

    private ILlamaContext New(string name) => runtimes[name].CreateContext(
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
