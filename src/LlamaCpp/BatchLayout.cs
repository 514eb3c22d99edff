using Herd.Inference.Runtime;
using Herd.LlamaCpp.Native;

namespace Herd.LlamaCpp;

/// <summary>
/// The order in which a batch is given to llama.cpp. With a stream of cells for each sequence it computes in one pass only
/// sequences whose ids follow one another; every other order costs more passes over the weights. So tokens are sorted by
/// sequence. A pass looks at as many cells of each of its sequences as the longest has, so one much longer than the others
/// goes apart.
/// </summary>
internal sealed unsafe class BatchLayout(int sequences)
{
    /// <summary>Cells looked at in vain that cost as much as a pass.</summary>
    private const int CellsWorthPass = 16_384;

    private readonly int[] _next = new int[sequences];
    private readonly int[] _lengths = new int[sequences];
    private readonly bool[] _apart = new bool[sequences];
    private int[] _places = [];

    /// <summary>Where a token of the batch lies in llama.cpp's.</summary>
    public int this[int index] => _places[index];

    /// <summary>Fills llama.cpp's batch.</summary>
    public void Fill(TokenBatch batch, ref Batch native)
    {
        if (_places.Length < batch.Count)
        {
            _places = new int[batch.Count];
        }

        var counts = _next.AsSpan();
        counts.Clear();
        for (var i = 0; i < batch.Count; i++)
        {
            counts[batch.Sequences[i]]++;
            _lengths[batch.Sequences[i]] = batch.Positions[i] + 1;
        }

        SetLongestApart(counts);
        native.Count = 0;
        Arrange(counts, ref native);
        for (var i = 0; i < batch.Count; i++)
        {
            var place = _places[i] = counts[batch.Sequences[i]]++;
            Put(ref native, place, batch.Tokens[i], batch.Positions[i], batch.Sequences[i], batch.Outputs[i]);
        }
    }

    /// <summary>Sets apart the longest sequence, and the next, while that saves more than the pass it takes.</summary>
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
    /// Turns the count of each sequence into its first place: those apart first, backwards so that none follows another, then
    /// the others.
    /// </summary>
    private void Arrange(Span<int> counts, ref Batch native)
    {
        for (var sequence = sequences - 1; sequence >= 0; sequence--)
        {
            if (_apart[sequence])
            {
                Place(sequence, counts, ref native);
            }
        }

        for (var sequence = 0; sequence < sequences; sequence++)
        {
            if (counts[sequence] > 0 && !_apart[sequence])
            {
                Place(sequence, counts, ref native);
            }
        }
    }

    private static void Place(int sequence, Span<int> counts, ref Batch native)
    {
        var first = native.Count;
        native.Count += counts[sequence];
        counts[sequence] = first;
    }

    private static void Put(ref Batch native, int place, int token, int position, int sequence, bool output)
    {
        native.Tokens[place] = token;
        native.Positions[place] = position;
        *native.Sequences[place] = sequence;
        native.Outputs[place] = output ? (byte)1 : (byte)0;
    }
}
