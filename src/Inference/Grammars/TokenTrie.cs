using Herd.Inference.Runtime;

namespace Herd.Inference.Grammars;

/// <summary>
/// The tokens of a vocabulary as a tree of their bytes, so that tokens with a common prefix share the work of testing
/// it. Nodes are numbered depth first, so a subtree is a range. Special tokens have no text and are in no node.
/// </summary>
internal sealed class TokenTrie
{
    private readonly IVocabulary _vocabulary;
    private readonly byte[] _bytes;
    private readonly ushort[] _depths;
    private readonly int[] _ends;
    private readonly int[] _tokens;
    private readonly int[] _firstTokens;
    private readonly ushort[] _plainHeights;

    public TokenTrie(IVocabulary vocabulary)
    {
        _vocabulary = vocabulary;
        Ends = [.. Enumerable.Range(0, vocabulary.Count).Where(vocabulary.IsEndOfGeneration)];
        var sorted = Enumerable.Range(0, vocabulary.Count)
            .Where(token => !IsEnd(token) && Bytes(token).Length is > 0 and <= ushort.MaxValue).ToArray();
        Array.Sort(sorted, (one, other) => Bytes(one).SequenceCompareTo(Bytes(other)));
        var (bytes, depths, firstTokens) = (new List<byte>(), new List<ushort>(), new List<int>());
        ReadOnlySpan<byte> before = [];
        foreach (var (i, token) in sorted.Index())
        {
            var text = Bytes(token);
            for (var depth = before.CommonPrefixLength(text); depth < text.Length; depth++)
            {
                bytes.Add(text[depth]);
                depths.Add((ushort)(depth + 1));
                firstTokens.Add(i);
            }

            before = text;
        }

        (_bytes, _depths, _tokens, _firstTokens) =
            ([.. bytes], [.. depths], sorted, [.. firstTokens, sorted.Length]);
        MaxLength = depths.Count == 0 ? 0 : depths.Max();
        Words = (vocabulary.Count + 63) / 64;
        _ends = SubtreeEnds(_depths, MaxLength);
        _plainHeights = PlainHeights();
    }

    /// <summary>The printable ASCII characters that stand for themselves in a JSON string.</summary>
    public static bool IsPlain(byte value) => value is >= 0x20 and < 0x7F and not ((byte)'"' or (byte)'\\');

    /// <summary>The number of nodes.</summary>
    public int Count => _bytes.Length;

    /// <summary>The length of the longest token in bytes.</summary>
    public int MaxLength { get; }

    /// <summary>The number of 64-bit words that hold one bit for each token of the vocabulary.</summary>
    public int Words { get; }

    /// <summary>The end-of-generation tokens.</summary>
    public int[] Ends { get; }

    /// <summary>The byte of each node.</summary>
    public ReadOnlySpan<byte> NodeBytes => _bytes;

    /// <summary>The depth of each node: the length in bytes of the text that it stands for.</summary>
    public ReadOnlySpan<ushort> Depths => _depths;

    /// <summary>The first node behind each node's subtree.</summary>
    public ReadOnlySpan<int> SubtreeEnd => _ends;

    public bool IsEnd(int token) => _vocabulary.IsEndOfGeneration(token);

    public ReadOnlySpan<byte> Bytes(int token) => _vocabulary.IsSpecial(token) ? [] : _vocabulary.Bytes(token);

    /// <summary>
    /// If all bytes below a node are plain (<see cref="IsPlain"/>): how far down they go. 0 otherwise.
    /// </summary>
    public ReadOnlySpan<ushort> PlainHeight => _plainHeights;

    /// <summary>Sets the bits of the tokens whose text ends at a node.</summary>
    public void Mark(int node, Span<ulong> bits) => Mark(_firstTokens[node], _firstTokens[node + 1], bits);

    /// <summary>Sets the bits of the tokens whose text ends at a node or below.</summary>
    public void MarkSubtree(int node, Span<ulong> bits) => Mark(_firstTokens[node], _firstTokens[_ends[node]], bits);

    private void Mark(int from, int to, Span<ulong> bits)
    {
        for (var i = from; i < to; i++)
        {
            bits[_tokens[i] >> 6] |= 1UL << (_tokens[i] & 63);
        }
    }

    private ushort[] PlainHeights()
    {
        var heights = new ushort[Count];
        var isPlain = new bool[Count];
        for (var node = Count - 1; node >= 0; node--)
        {
            isPlain[node] = true;
            for (var child = node + 1; child < _ends[node]; child = _ends[child])
            {
                isPlain[node] &= isPlain[child] && IsPlain(_bytes[child]);
                heights[node] = ushort.Max(heights[node], (ushort)(heights[child] + 1));
            }
        }

        for (var node = 0; node < Count; node++)
        {
            heights[node] = isPlain[node] ? heights[node] : (ushort)0;
        }

        return heights;
    }

    private static int[] SubtreeEnds(ushort[] depths, int maxDepth)
    {
        // The next node, going backwards, of each depth or a smaller one.
        var ends = new int[depths.Length];
        var next = new int[maxDepth + 2];
        Array.Fill(next, depths.Length);
        for (var node = depths.Length - 1; node >= 0; node--)
        {
            ends[node] = next[depths[node]];
            next.AsSpan(depths[node]).Fill(node);
        }

        return ends;
    }
}
