using System.Runtime.InteropServices;

namespace Herd.Inference.Models.Gguf.Checks;

/// <summary>
/// The table of a T5 vocabulary that normalises texts: a double array (XCDA) with links between its entries, then the
/// replacements. A link that leads out of the table ends the process once a text follows it.
/// </summary>
internal static class CharsmapCheck
{
    private const string Key = "tokenizer.ggml.precompiled_charsmap";
    private const uint LinkedCharacter = 0x8000_00FF;
    private const uint Leaf = 1 << 8;

    public static string? FindFault(Hyperparameters model)
    {
        if (model.File.Metadata.GetValueOrDefault(Key) is not GgufArray { Bytes: { Length: > 4 } bytes })
        {
            return null;
        }

        var table = MemoryMarshal.Read<uint>(bytes.Span);
        return table > bytes.Length - 5
            || bytes.Span[^1] != 0
            || !IsClosed(MemoryMarshal.Cast<byte, uint>(bytes.Span[4..(4 + (int)table)]), bytes.Length - 4 - (int)table)
                ? $"'{Key}' has links that lead out of it"
                : null;
    }

    /// <summary>True if no text follows a link out of the table or to a replacement that is not there.</summary>
    private static bool IsClosed(ReadOnlySpan<uint> entries, int replacements)
    {
        if (entries.IsEmpty)
        {
            return true;
        }

        var start = Base(entries[0]);
        var seen = new HashSet<uint> { start };
        var open = new Stack<uint>(seen);
        while (open.TryPop(out var node))
        {
            // A character changes the lower eight bits only.
            if ((node | 0xFF) >= entries.Length)
            {
                return false;
            }

            for (var character = 1u; character < 256; character++)
            {
                var child = node ^ character;
                var entry = entries[(int)child];
                if ((entry & LinkedCharacter) != character)
                {
                    continue;
                }

                var next = child ^ Base(entry);
                if ((entry & Leaf) != 0
                    && (next >= entries.Length || (entries[(int)next] & int.MaxValue) >= replacements))
                {
                    return false;
                }

                if (seen.Add(next))
                {
                    open.Push(next);
                }
            }
        }

        return true;
    }

    private static uint Base(uint entry) => (entry >> 10) << (int)((entry & (1u << 9)) >> 6);
}
