using Herd.Inference.Runtime;

namespace Herd.Inference.Grammars;

/// <summary>
/// A vocabulary in the order of its tokens' bytes, so that what is known of a token serves all that begin alike. Special tokens
/// stand for no text and are allowed by no grammar.
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
        SharedWithPrevious = [.. Sorted.Select((token, i) => i == 0 ? 0 : Bytes(token).CommonPrefixLength(Bytes(Sorted[i - 1])))];
    }

    /// <summary>Every token but those that end an answer.</summary>
    public int[] Sorted { get; }

    /// <summary>How many bytes each of <see cref="Sorted"/> begins with like the one before it.</summary>
    public int[] SharedWithPrevious { get; }

    public int[] Ends { get; }

    public bool IsEnd(int token) => _vocabulary.IsEndOfGeneration(token);

    public ReadOnlySpan<byte> Bytes(int token) => _vocabulary.IsSpecial(token) ? [] : _vocabulary.Bytes(token);
}
