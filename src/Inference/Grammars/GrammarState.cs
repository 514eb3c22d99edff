using System.Buffers;

namespace Herd.Inference.Grammars;

/// <summary>The state of an answer in its grammar. It depends on the answer's tokens alone.</summary>
internal sealed class GrammarState
{
    private readonly Grammar _grammar;
    private Cursor _at;

    public GrammarState(Grammar grammar)
    {
        _grammar = grammar;
        _at = new Cursor(grammar.Start, 0, null);
    }

    /// <summary>True if the answer may end here.</summary>
    public bool IsComplete => _at.IsComplete;

    public bool Allows(int token) => _grammar.Tokens.IsEnd(token)
        ? IsComplete
        : _grammar.Tokens.Bytes(token) is { IsEmpty: false } bytes && _at.TryTake(bytes, out _);

    /// <summary>Advances by an allowed token.</summary>
    public void Accept(int token)
    {
        if (!_grammar.Tokens.IsEnd(token) && _at.TryTake(_grammar.Tokens.Bytes(token), out var next))
        {
            _at = next;
        }
    }

    /// <summary>Masks the logits of all tokens that the grammar does not allow next.</summary>
    /// <returns>False if no token is allowed.</returns>
    public bool Mask(Span<float> logits)
    {
        var tokens = _grammar.Tokens;
        var rented = ArrayPool<ulong>.Shared.Rent(tokens.Words);
        var bits = rented.AsSpan(0, tokens.Words);
        _grammar.States.Worked(_grammar.States.Mask(_at.State, _at.Count).Resolve(tokens, _at, bits));
        if (IsComplete)
        {
            foreach (var end in tokens.Ends)
            {
                bits[end >> 6] |= 1UL << (end & 63);
            }
        }

        var found = bits.ContainsAnyExcept(0UL);
        for (var word = 0; word < bits.Length; word++)
        {
            if (bits[word] != ulong.MaxValue)
            {
                Clear(logits[(word * 64)..Math.Min(logits.Length, (word * 64) + 64)], bits[word]);
            }
        }

        ArrayPool<ulong>.Shared.Return(rented);
        return found;
    }

    private static void Clear(Span<float> logits, ulong allowed)
    {
        if (allowed == 0)
        {
            logits.Fill(float.NegativeInfinity);
            return;
        }

        for (var i = 0; i < logits.Length; i++)
        {
            if ((allowed >> i & 1) == 0)
            {
                logits[i] = float.NegativeInfinity;
            }
        }
    }
}
