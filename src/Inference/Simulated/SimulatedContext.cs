using System.Runtime.InteropServices;
using Herd.Inference.Runtime;

namespace Herd.Inference.Simulated;

/// <summary>
/// A KV cache of sequences of tokens, 4 bytes a token. A hash of all tokens before it gives the next token.
/// </summary>
internal sealed class SimulatedContext(ContextOptions options, SimulatedTimings timings, TimeProvider time)
    : ILlamaContext
{
    private const ulong Seed = 0x9E3779B97F4A7C15;
    private const int Letters = 26;
    private const int Choices = 4;

    /// <summary>One of so many choices has two tokens of nearly equal logits.</summary>
    private const int Close = 16;

    private static readonly int Vocabulary = new SimulatedVocabulary().Count;

    private readonly Cells[] _sequences = [.. Enumerable.Range(0, options.Sequences).Select(_ => new Cells())];
    private readonly Pace _pace = new(timings.Speed, time);
    private ulong[] _hashes = [];
    private float[] _logits = [];

    public int Sequences => options.Sequences;

    public int CellsPerSequence => options.CellsPerSequence;

    public int BatchTokens => options.BatchTokens;

    public string Layout => "simulated; 4 bytes a token";

    public void Decode(TokenBatch batch)
    {
        Array.Resize(ref _hashes, Math.Max(_hashes.Length, batch.Count));
        Array.Resize(ref _logits, Math.Max(_logits.Length, batch.Count * Vocabulary));
        var decoding = 0;
        for (var i = 0; i < batch.Count; i++)
        {
            var cells = _sequences[batch.Sequences[i]];
            if (cells.Tokens.Count != batch.Positions[i] || cells.Tokens.Count == CellsPerSequence)
            {
                throw new DecodeException(
                    $"Position {batch.Positions[i]} does not follow {cells.Tokens.Count} tokens.", 1);
            }

            _hashes[i] = cells.Add(batch.Tokens[i]);
            if (batch.Outputs[i])
            {
                decoding++;
                Fill(_logits.AsSpan(i * Vocabulary, Vocabulary), _hashes[i]);
            }
        }

        _pace.Spend(timings.Step + (decoding * timings.Sequence)
            + Seconds((batch.Count - decoding) / timings.PrefillPerSecond));
    }

    public ReadOnlySpan<float> Logits(int index) => _logits.AsSpan(index * Vocabulary, Vocabulary);

    public bool Truncate(int sequence, int length)
    {
        _sequences[sequence].Truncate(length);
        return true;
    }

    public long StateBytes(int sequence) => Math.Max(1, _sequences[sequence].Tokens.Count) * (long)sizeof(int);

    public void Save(int sequence, StateBuffer target)
    {
        var tokens = CollectionsMarshal.AsSpan(_sequences[sequence].Tokens);
        MemoryMarshal.AsBytes(tokens).CopyTo(target.From(0));
        _pace.Spend(Seconds(tokens.Length / timings.CopiedPerSecond));
    }

    public void Load(int sequence, StateBuffer source)
    {
        var cells = _sequences[sequence];
        cells.Truncate(0);
        foreach (var token in MemoryMarshal.Cast<byte, int>(source.From(0)))
        {
            cells.Add(token);
        }

        _pace.Spend(Seconds(cells.Tokens.Count / timings.CopiedPerSecond));
    }

    public void Copy(int source, int target)
    {
        _sequences[target].Truncate(0);
        _sequences[source].Tokens.ForEach(token => _sequences[target].Add(token));
        _pace.Spend(Seconds(2 * _sequences[source].Tokens.Count / timings.CopiedPerSecond));
    }

    public void Dispose()
    {
    }

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    /// <summary>Sets the logits of a few letters, or of the end-of-generation token.</summary>
    private void Fill(Span<float> logits, ulong hash)
    {
        logits.Clear();
        if (hash % (ulong)timings.AnswerTokens == 0)
        {
            logits[SimulatedVocabulary.End] = 20;
            return;
        }

        hash ^= hash % Close == 1 ? timings.Rounding : 0;
        for (var choice = 0; choice < Choices; choice++)
        {
            logits['a' + (int)((hash >> (8 * (choice + 1))) % Letters)] = 12 - choice;
        }
    }

    /// <summary>The tokens of a sequence, with the hash of all tokens up to each.</summary>
    private sealed class Cells
    {
        private readonly List<ulong> _hashes = [];

        public List<int> Tokens { get; } = [];

        public ulong Add(int token)
        {
            // The finalizer of SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators",
            // 2014).
            var hash = (_hashes.Count == 0 ? Seed : _hashes[^1]) + ((ulong)token + 1) * Seed;
            hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9;
            hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EB;
            hash ^= hash >> 31;
            Tokens.Add(token);
            _hashes.Add(hash);
            return hash;
        }

        public void Truncate(int length)
        {
            if (length < Tokens.Count)
            {
                CollectionsMarshal.SetCount(Tokens, length);
                CollectionsMarshal.SetCount(_hashes, length);
            }
        }
    }
}
