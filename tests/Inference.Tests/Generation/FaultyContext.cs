using Herd.Inference.Runtime;

namespace Herd.Inference.Tests.Generation;

/// <summary>
/// A context that fails at random: steps that leave some tokens behind, logits that are not numbers, defects, states
/// that are neither saved, loaded nor copied, and models that cannot remove a part of a sequence.
/// </summary>
/// <param name="context">Computes what does not fail.</param>
/// <param name="random">The dice.</param>
internal sealed class FaultyContext(FakeContext context, Random random) : ILlamaContext
{
    /// <summary>One of so many operations fails; 0 means none.</summary>
    public int Rarity { get; set; }

    /// <summary>The buffers that states were saved to.</summary>
    public List<StateBuffer> States { get; } = [];

    public int Sequences => context.Sequences;

    public int CellsPerSequence => context.CellsPerSequence;

    public int BatchTokens => context.BatchTokens;

    public string Layout => context.Layout;

    public void Decode(TokenBatch batch)
    {
        if (Fails(4))
        {
            // Some tokens of one sequence got in before the failure.
            var part = new TokenBatch(batch.Count);
            for (var i = 0; i < batch.Count && batch.Sequences[i] == batch.Sequences[0]; i++)
            {
                part.Add(batch.Tokens[i], batch.Positions[i], batch.Sequences[i], batch.Outputs[i]);
            }

            context.Decode(part);
            throw new DecodeException("out of cells", 1);
        }

        context.Decode(batch);
    }

    public ReadOnlySpan<float> Logits(int index) =>
        Fails(8) ? Enumerable.Repeat(float.NaN, new ByteVocabulary().Count).ToArray()
        : Fails(8) ? throw new InvalidOperationException("a defect")
        : context.Logits(index);

    public bool Truncate(int sequence, int length) =>
        (length == 0 || !Fails(1)) && context.Truncate(sequence, length);

    public long StateBytes(int sequence) => context.StateBytes(sequence);

    public void Save(int sequence, StateBuffer target)
    {
        States.Add(target);
        ThrowIfFails("not saved");
        context.Save(sequence, target);
    }

    public void Load(int sequence, StateBuffer source)
    {
        ThrowIfFails("not loaded");
        context.Load(sequence, source);
    }

    public void Copy(int source, int target)
    {
        ThrowIfFails("not copied");
        context.Copy(source, target);
    }

    public void Dispose() => context.Dispose();

    private void ThrowIfFails(string message)
    {
        if (Fails(1))
        {
            throw new DecodeException(message, 1);
        }
    }

    private bool Fails(int rarer) => Rarity > 0 && random.Next(Rarity * rarer) == 0;
}
