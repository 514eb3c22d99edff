using System.Runtime.InteropServices;
using Herd.Inference.Runtime;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Inference.Tests.Generation;

/// <summary>
/// A context without a model. The next token is the one before plus 1, and wraps before the special ones. It records
/// every batch, and tests can hold it between steps or make it fail. With <see cref="IsHashing"/> the next token
/// depends on every token in the sequence's cells, so a wrong one anywhere changes all later ones.
/// </summary>
internal sealed class FakeContext(int sequences = 2, int cells = 64, int batch = 8) : ILlamaContext
{
    private readonly List<int>[] _cells = [.. Enumerable.Range(0, sequences).Select(_ => new List<int>())];
    private readonly SemaphoreSlim _gate = new(0);
    private int[] _next = [];
    private volatile bool _gated;

    public int Sequences => sequences;

    public int CellsPerSequence => cells;

    public int BatchTokens => batch;

    /// <summary>The sequence ids of every batch, in order.</summary>
    public List<int[]> Batches { get; } = [];

    public bool IsHashing { get; init; }

    /// <summary>A clock on which computing a token takes a millisecond, and nothing else takes time.</summary>
    public FakeTimeProvider Clock { get; } = new();

    public string Layout => "fake";

    /// <summary>Saves, loads and copies so far.</summary>
    public int Moves { get; private set; }

    /// <summary>Set to fail the next batch.</summary>
    public volatile bool FailNext;

    /// <summary>The exception that the next load throws; null for none.</summary>
    public Exception? LoadFault { get; set; }

    /// <summary>The exception of every step; null for none.</summary>
    public Exception? StepFault { get; init; }

    /// <summary>A token whose logits cannot be read; null for none.</summary>
    public int? Defect { get; init; }

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

        if (StepFault is not null)
        {
            throw StepFault;
        }

        if (FailNext)
        {
            FailNext = false;
            throw new DecodeException("made to fail", 1);
        }

        var next = new int[batch.Count];
        for (var i = 0; i < batch.Count; i++)
        {
            var sequence = _cells[batch.Sequences[i]];
            Assert.Equal(sequence.Count, batch.Positions[i]);
            Assert.True(sequence.Count < cells, "A sequence outgrew its cells.");
            sequence.Add(batch.Tokens[i]);
            next[i] = batch.Outputs[i] ? Next(sequence) : -1;
        }

        Clock.Advance(TimeSpan.FromMilliseconds(batch.Count));
        _next = next;
        lock (Batches)
        {
            Batches.Add(batch.Sequences.ToArray());
        }
    }

    public ReadOnlySpan<float> Logits(int index)
    {
        if (_next[index] == Defect)
        {
            throw new InvalidOperationException("a defect");
        }

        var logits = new float[new ByteVocabulary().Count];
        logits[_next[index]] = 10;
        return logits;
    }

    /// <summary>The tokens in the cells of a sequence.</summary>
    public IReadOnlyList<int> TokensOf(int sequence) => _cells[sequence];

    /// <summary>The token that follows tokens in this context.</summary>
    public int Next(IReadOnlyList<int> tokens) => IsHashing
        ? Hash(tokens) % 251
        : (tokens[^1] + 1) % ByteVocabulary.Control;

    public bool Truncate(int sequence, int length)
    {
        _cells[sequence].RemoveRange(length, _cells[sequence].Count - length);
        return true;
    }

    public long StateBytes(int sequence) => Math.Max(1, _cells[sequence].Count) * (long)sizeof(int);

    public void Save(int sequence, StateBuffer target)
    {
        Moves++;
        MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_cells[sequence])).CopyTo(target.From(0));
    }

    public void Load(int sequence, StateBuffer source)
    {
        if (LoadFault is { } fault)
        {
            LoadFault = null;
            throw fault;
        }

        Moves++;
        _cells[sequence].Clear();
        _cells[sequence].AddRange(MemoryMarshal.Cast<byte, int>(source.From(0)));
    }

    public void Copy(int source, int target)
    {
        Moves++;
        _cells[target].Clear();
        _cells[target].AddRange(_cells[source]);
    }

    private static int Hash(IReadOnlyList<int> tokens)
    {
        var hash = 17;
        for (var i = 0; i < tokens.Count; i++)
        {
            hash = (hash * 31 + tokens[i]) & 0xFFFFFF;
        }

        return hash;
    }

    /// <summary>Does not dispose of the gate: a test may open it after the engine has ended.</summary>
    public void Dispose()
    {
    }
}
