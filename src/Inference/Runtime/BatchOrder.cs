namespace Herd.Inference.Runtime;

/// <summary>
/// The order of a batch that llama.cpp computes in the fewest passes over the weights. With a stream of cells for each
/// sequence, one pass computes only sequences with consecutive ids, so tokens are sorted by sequence. A pass reads as
/// many cells of every sequence as the longest one has, so a much longer sequence gets a pass of its own.
/// </summary>
/// <param name="sequences">The number of sequences of the context.</param>
public sealed class BatchOrder(int sequences)
{
    /// <summary>The number of cells whose needless reading costs as much as a pass.</summary>
    private const int CellsWorthPass = 16_384;

    private readonly int[] _next = new int[sequences];
    private readonly int[] _lengths = new int[sequences];
    private readonly bool[] _apart = new bool[sequences];
    private int[] _rows = [];
    private int[] _order = [];

    /// <summary>The batch index of the token of each row.</summary>
    public ReadOnlySpan<int> Order => _order;

    /// <summary>The row of a token, by its batch index.</summary>
    public int this[int index] => _rows[index];

    /// <summary>Computes the order of a batch.</summary>
    public void Arrange(TokenBatch batch)
    {
        Array.Resize(ref _rows, Math.Max(_rows.Length, batch.Count));
        Array.Resize(ref _order, Math.Max(_order.Length, batch.Count));
        var counts = _next.AsSpan();
        counts.Clear();
        for (var i = 0; i < batch.Count; i++)
        {
            counts[batch.Sequences[i]]++;
            _lengths[batch.Sequences[i]] = batch.Positions[i] + 1;
        }

        SetLongestApart(counts);
        SetFirstRows(counts);
        for (var i = 0; i < batch.Count; i++)
        {
            var row = counts[batch.Sequences[i]]++;
            _rows[i] = row;
            _order[row] = i;
        }
    }

    /// <summary>Sets the longest sequences apart, one by one, while that saves more than the pass it costs.</summary>
    private void SetLongestApart(ReadOnlySpan<int> counts)
    {
        Array.Clear(_apart);
        while (true)
        {
            int longest = -1, second = 0, others = -1;
            for (var sequence = 0; sequence < sequences; sequence++)
            {
                if (counts[sequence] == 0 || _apart[sequence])
                {
                    continue;
                }

                others++;
                if (longest < 0 || _lengths[sequence] > _lengths[longest])
                {
                    second = longest < 0 ? 0 : _lengths[longest];
                    longest = sequence;
                }
                else
                {
                    second = Math.Max(second, _lengths[sequence]);
                }
            }

            if (longest < 0 || (long)others * (_lengths[longest] - second) <= CellsWorthPass)
            {
                return;
            }

            _apart[longest] = true;
        }
    }

    /// <summary>
    /// Turns the count of each sequence into its first row: first the sequences set apart, in descending order so that
    /// no two have consecutive ids, then the others.
    /// </summary>
    private void SetFirstRows(Span<int> counts)
    {
        var next = 0;
        for (var sequence = sequences - 1; sequence >= 0; sequence--)
        {
            if (_apart[sequence])
            {
                next += First(ref counts[sequence], next);
            }
        }

        for (var sequence = 0; sequence < sequences; sequence++)
        {
            if (!_apart[sequence])
            {
                next += First(ref counts[sequence], next);
            }
        }

        static int First(ref int count, int next)
        {
            var length = count;
            count = next;
            return length;
        }
    }
}
