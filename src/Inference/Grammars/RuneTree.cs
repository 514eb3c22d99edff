using System.Text;

namespace Herd.Inference.Grammars;

/// <summary>Texts as a tree of their characters, so that common beginnings exist once. Node 0 is the root.</summary>
internal sealed class RuneTree
{
    private readonly List<Node> _nodes = [new(default)];

    public RuneTree(IEnumerable<string> texts)
    {
        var path = new List<int> { 0 };
        Rune[] before = [];
        foreach (var text in texts.Distinct().Order(StringComparer.Ordinal))
        {
            Rune[] runes = [.. text.EnumerateRunes()];
            var shared = before.AsSpan().CommonPrefixLength(runes);
            path.RemoveRange(shared + 1, path.Count - shared - 1);
            foreach (var rune in runes.Skip(shared))
            {
                _nodes[path[^1]].Children.Add(_nodes.Count);
                path.Add(_nodes.Count);
                _nodes.Add(new Node(rune));
            }

            _nodes[path[^1]].IsEnd = true;
            before = runes;
        }
    }

    public Rune RuneOf(int node) => _nodes[node].Rune;

    /// <summary>Builds the positions of all texts.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="write">The bytes of a character.</param>
    /// <param name="others">
    /// The position at which a node goes on besides its children, given its children's characters and whether a text
    /// ends there. -1 for none.
    /// </param>
    /// <returns>The position of the root.</returns>
    public int Build(GrammarBuilder builder, Func<Rune, byte[]> write, Func<IReadOnlyList<Rune>, bool, int> others)
    {
        // Children have higher numbers than their parents.
        var entries = new int[_nodes.Count];
        for (var at = _nodes.Count - 1; at >= 0; at--)
        {
            var node = _nodes[at];
            var entry = others([.. node.Children.Select(RuneOf)], node.IsEnd);
            foreach (var child in node.Children)
            {
                var bytes = write(RuneOf(child));
                var take = entries[child];
                for (var i = bytes.Length - 1; i >= 0; i--)
                {
                    take = builder.Take(ByteSet.One(bytes[i]), take, i == 0 ? Counting.One : null);
                }

                entry = entry < 0 ? take : builder.Split(take, entry);
            }

            entries[at] = entry;
        }

        return entries[0];
    }

    private sealed class Node(Rune rune)
    {
        public Rune Rune => rune;

        public List<int> Children { get; } = [];

        public bool IsEnd { get; set; }
    }
}
