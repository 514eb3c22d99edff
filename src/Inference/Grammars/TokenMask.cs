using System.Buffers;

namespace Herd.Inference.Grammars;

/// <summary>
/// The tokens that can follow a set of positions: those that its level allows, and the parts of the token trie that the
/// levels above decide, because the level may end before. Immutable.
/// </summary>
internal sealed class TokenMask
{
    private readonly ulong[] _allowed;
    private readonly Rest[] _rest;

    private TokenMask(ulong[] allowed, Rest[] rest, int visited) =>
        (_allowed, _rest, Visited) = (allowed, rest, visited);

    /// <summary>The nodes of the trie that were visited to compute it.</summary>
    public int Visited { get; }

    /// <summary>The size in memory.</summary>
    public int Bytes => (8 * _allowed.Length) + (24 * _rest.Length) + 80;

    public static TokenMask Compute(TokenTrie tokens, LevelState state, int count)
    {
        var allowed = new ulong[tokens.Words];
        var rest = new List<Rest>();
        var visited = Walk(tokens, 0, tokens.Count, new Cursor(state, count, Cursor.Unknown), allowed, rest);
        return new TokenMask(allowed, [.. rest], visited);
    }

    /// <summary>Sets the bits of all tokens that can follow.</summary>
    /// <param name="tokens">The token trie.</param>
    /// <param name="at">The place, with the levels above.</param>
    /// <param name="bits">One bit for each token of the vocabulary.</param>
    /// <returns>The nodes of the trie that were visited.</returns>
    public int Resolve(TokenTrie tokens, Cursor at, Span<ulong> bits)
    {
        _allowed.CopyTo(bits);
        if (at.Caller is not { } caller)
        {
            return 0;
        }

        var visited = 0;
        foreach (var (from, to, ended, counted) in _rest)
        {
            var above = new Cursor(
                ended.Owner.Return(caller.State, ended, at.Count + counted), caller.Count, caller.Caller);
            visited += Walk(tokens, from, to, above, bits, null);
        }

        return visited;
    }

    /// <summary>Walks a range of the trie whose first node is a child of the node that the cursor stands at.</summary>
    private static int Walk(TokenTrie tokens, int from, int to, Cursor start, Span<ulong> bits, List<Rest>? rest)
    {
        var bytes = tokens.NodeBytes;
        var depths = tokens.Depths;
        var ends = tokens.SubtreeEnd;
        var plainHeights = tokens.PlainHeight;
        var classes = start.State.Owner.Classes;
        var path = ArrayPool<Cursor>.Shared.Rent(tokens.MaxLength + 1);
        path[from < to ? depths[from] - 1 : 0] = start;
        var visited = 0;
        for (var node = from; node < to;)
        {
            visited++;
            int depth = depths[node];
            if (!path[depth - 1].TryTake(classes[bytes[node]], out path[depth], out var ended))
            {
                if (ended is { } end)
                {
                    visited--;
                    Add(rest!, new Rest(node, ends[node], end.State, end.Count - start.Count), depths);
                }

                node = ends[node];
            }
            else if (plainHeights[node] > 0 && path[depth].TakesPlain(plainHeights[node]))
            {
                tokens.MarkSubtree(node, bits);
                node = ends[node];
            }
            else
            {
                tokens.Mark(node, bits);
                node++;
            }
        }

        ArrayPool<Cursor>.Shared.Return(path, clearArray: true);
        return visited;
    }

    /// <summary>Adds a part, to the one before if they are neighbours.</summary>
    private static void Add(List<Rest> rest, Rest part, ReadOnlySpan<ushort> depths)
    {
        if (rest.Count > 0 && rest[^1] is var last && last.To == part.From && last.Ended == part.Ended
            && last.Counted == part.Counted && depths[last.From] == depths[part.From])
        {
            rest[^1] = last with { To = part.To };
        }
        else
        {
            rest.Add(part);
        }
    }

    /// <summary>
    /// Siblings and their subtrees, before whose bytes the level ended with these positions, having counted so much.
    /// </summary>
    private readonly record struct Rest(int From, int To, LevelState Ended, int Counted);
}
