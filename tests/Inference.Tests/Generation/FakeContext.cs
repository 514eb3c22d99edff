using Herd.Inference.Runtime;

namespace Herd.Inference.Tests.Generation;

/// <summary>
/// A context whose next token follows from the one before it (token + 1, wrapping before the special ones), that notes
/// every batch and can be held between steps or made to fail.
/// </summary>
internal sealed class FakeContext(int sequences = 2, int cells = 64, int batch = 8) : ILlamaContext
{
    private readonly List<int>[] _cells = [.. Enumerable.Range(0, sequences).Select(_ => new List<int>())];
    private readonly SemaphoreSlim _gate = new(0);
    private readonly float[] _logits = new float[new ByteVocabulary().Count];
    private int[] _last = [];
    private volatile bool _gated;

    public int Sequences => sequences;

    public int CellsPerSequence => cells;

    public int BatchTokens => batch;

    /// <summary>The sequence ids of every batch, in order.</summary>
    public List<int[]> Batches { get; } = [];

    /// <summary>Set to fail the next batch.</summary>
    public volatile bool FailNext;

    /// <summary>Makes every step wait for a <see cref="Step"/>.</summary>
    public void Hold() => _gated = true;

    public void Step(int count = 1) => _gate.Release(count);

    public void LetGo()
    {
        _gated = false;
        _gate.Release(1000);
    }

    public void Decode(TokenBatch batch)
    {
        if (_gated)
        {
            _gate.Wait();
        }

        if (FailNext)
        {
            FailNext = false;
            throw new DecodeException("made to fail", 1);
        }

        for (var i = 0; i < batch.Count; i++)
        {
            var sequence = _cells[batch.Sequences[i]];
            Assert.Equal(sequence.Count, batch.Positions[i]);
            Assert.True(sequence.Count < cells, "A sequence outgrew its cells.");
            sequence.Add(batch.Tokens[i]);
        }

        _last = batch.Tokens.ToArray();
        lock (Batches)
        {
            Batches.Add(batch.Sequences.ToArray());
        }
    }

    public ReadOnlySpan<float> Logits(int index)
    {
        Array.Clear(_logits);
        _logits[(_last[index] + 1) % ByteVocabulary.Control] = 10;
        return _logits;
    }

    public bool Truncate(int sequence, int length)
    {
        _cells[sequence].RemoveRange(length, _cells[sequence].Count - length);
        return true;
    }

    public void Dispose() => _gate.Dispose();
}
