namespace Herd.Inference.Grammars;

/// <summary>
/// The state of an answer in its grammar: all possible frames. It depends on the answer's tokens alone.
/// </summary>
internal sealed class GrammarState
{
    private readonly Grammar _grammar;

    /// <summary>The frames after each byte of the token under test. The first entry has the present frames.</summary>
    private readonly List<List<GrammarFrame>> _path = [[]];

    public GrammarState(Grammar grammar)
    {
        _grammar = grammar;
        grammar.Expand(grammar.Root, caller: null, _path[0]);
    }

    /// <summary>True if the answer may end here.</summary>
    public bool IsComplete => _path[0].Contains(GrammarFrame.End);

    public bool Allows(int token) => _grammar.Tokens.IsEnd(token)
        ? IsComplete
        : _grammar.Tokens.Bytes(token) is { IsEmpty: false } bytes && Walk(bytes, known: 0) == bytes.Length;

    /// <summary>Advances by an allowed token.</summary>
    public void Accept(int token)
    {
        if (Allows(token) && !_grammar.Tokens.IsEnd(token))
        {
            var bytes = _grammar.Tokens.Bytes(token).Length;
            (_path[0], _path[bytes]) = (_path[bytes], _path[0]);
        }
    }

    /// <summary>Masks the logits of all tokens that the grammar does not allow next.</summary>
    /// <returns>False if no token is allowed.</returns>
    public bool Mask(Span<float> logits)
    {
        var tokens = _grammar.Tokens;
        var found = false;
        var at = 0;
        var known = 0;
        while (at < tokens.Sorted.Length)
        {
            var token = tokens.Sorted[at];
            var bytes = tokens.Bytes(token);
            known = Walk(bytes, Math.Min(known, tokens.SharedWithPrevious[at]));
            if (known == bytes.Length && known > 0)
            {
                found = true;
                at++;
                continue;
            }

            // No token with this prefix is allowed.
            do
            {
                logits[tokens.Sorted[at++]] = float.NegativeInfinity;
            }
            while (at < tokens.Sorted.Length && tokens.SharedWithPrevious[at] > known);
        }

        foreach (var end in tokens.Ends)
        {
            logits[end] = IsComplete ? logits[end] : float.NegativeInfinity;
            found |= IsComplete;
        }

        return found;
    }

    /// <summary>Advances by bytes, one by one.</summary>
    /// <param name="bytes">The bytes of a token.</param>
    /// <param name="known">The number of bytes already taken for an earlier token with the same prefix.</param>
    /// <returns>The number of bytes that can be taken.</returns>
    private int Walk(ReadOnlySpan<byte> bytes, int known)
    {
        for (var i = known; i < bytes.Length; i++)
        {
            if (_path.Count <= i + 1)
            {
                _path.Add([]);
            }

            var next = _path[i + 1];
            next.Clear();
            foreach (var frame in _path[i])
            {
                _grammar.Take(frame, bytes[i], next);
            }

            if (next.Count == 0)
            {
                return i;
            }
        }

        return bytes.Length;
    }
}
