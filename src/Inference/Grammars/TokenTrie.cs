using Herd.Inference.Runtime;

namespace Herd.Inference.Grammars;

/// <summary>
/// The tokens of a vocabulary, sorted by their bytes, so that tokens with a common prefix share the work of testing it.
/// Special tokens have no text and no grammar allows them.
/// </summary>
internal sealed class TokenTrie
{
    private readonly IVocabulary _vocabulary;

    public TokenTrie(IVocabulary vocabulary)
    {
        _vocabulary = vocabulary;
        Ends = [.. Enumerable.Range(0, vocabulary.Count).Where(vocabulary.IsEndOfGeneration)];
        Sorted = [.. Enumerable.Range(0, vocabulary.Count).Where(token => !vocabulary.IsEndOfGeneration(token))];
        Array.Sort(Sorted, (one, other) => Bytes(one).SequenceCompareTo(Bytes(other)));
        SharedWithPrevious =
            [.. Sorted.Select((token, i) => i == 0 ? 0 : Bytes(token).CommonPrefixLength(Bytes(Sorted[i - 1])))];
    }

    /// <summary>All tokens except end-of-generation tokens.</summary>
    public int[] Sorted { get; }

    /// <summary>
    /// For each token of <see cref="Sorted"/>, the length in bytes of the prefix shared with the token before.
    /// </summary>
    public int[] SharedWithPrevious { get; }

    public int[] Ends { get; }

    public bool IsEnd(int token) => _vocabulary.IsEndOfGeneration(token);

    public ReadOnlySpan<byte> Bytes(int token) => _vocabulary.IsSpecial(token) ? [] : _vocabulary.Bytes(token);
}
