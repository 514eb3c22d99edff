using System.Globalization;
using Herd.Inference.Models.Gguf;
using Herd.Inference.Runtime;

namespace Herd.Inference.Models;

/// <summary>
/// What a model needs of a device's memory, estimated from its file before anything is loaded: its weights; keys and values
/// of f16 for every cell; and compute buffers for the logits and activations of a batch.
/// </summary>
/// <param name="Weights">Bytes.</param>
/// <param name="KvPerToken">Bytes of keys and values of one token.</param>
/// <param name="Compute">Bytes.</param>
/// <param name="Sequences">How many sequences side by side.</param>
/// <param name="Cells">Tokens each can hold.</param>
public sealed record MemoryPlan(long Weights, long KvPerToken, long Compute, int Sequences, int Cells)
{
    private const int KvBytes = 2;
    private const int FloatBytes = 4;

    public long Kv => Need(Sequences, Cells) - Weights - Compute;

    public long Total => Need(Sequences, Cells);

    public static MemoryPlan Create(GgufFile file, ContextOptions context)
    {
        var shape = ModelShape.Read(file);
        var cells = context.CellsPerSequence > 0 ? context.CellsPerSequence : shape.ContextLength;
        var width = Math.Max(shape.Vocabulary + 2L * shape.Embedding, 3L * shape.FeedForward + 4L * shape.Embedding);
        var logits = (long)Math.Max(context.Sequences, 1) * shape.Vocabulary;
        return new MemoryPlan(
            file.WeightBytes,
            shape.KvElementsPerToken * KvBytes,
            ((context.BatchTokens * width) + logits) * FloatBytes,
            context.Sequences,
            cells);
    }

    /// <summary>Refuses what does not fit.</summary>
    /// <param name="available">Bytes that are free.</param>
    /// <param name="where">Whose they are, for people.</param>
    /// <exception cref="ModelLoadException">It needs more; the message says how much of what, and what would fit.</exception>
    public void Require(long available, string where)
    {
        if (Total > available)
        {
            throw new ModelLoadException(
                $"{Show(Total)} are needed, and {where} has {Show(available)} free: weights {Show(Weights)}, KV cache {Show(Kv)} "
                + $"({Sequences} slots of {Cells} tokens), compute {Show(Compute)}. {Advice(available)}");
        }
    }

    /// <summary>The most tokens that each of the sequences can hold in so many bytes; 0 when none.</summary>
    public int LargestContext(long available) => (int)Math.Clamp(
        KvPerToken == 0 ? 0 : (available - Weights - Compute) / (KvPerToken * Sequences), 0, Cells);

    /// <summary>The most sequences of this length that fit in so many bytes; 0 when none.</summary>
    public int MostSlots(long available) => (int)Math.Clamp(
        KvPerToken == 0 ? 0 : (available - Weights - Compute) / (KvPerToken * Cells), 0, Sequences);

    private string Advice(long available) => (LargestContext(available), MostSlots(available)) switch
    {
        ( <= 0, _) => "The model itself does not fit: choose a smaller one, or a machine with more memory.",
        (var context, <= 0) => $"What would fit: {Sequences} slots of {context} tokens.",
        var (context, slots) => $"What would fit: {slots} slots of {Cells} tokens, or {Sequences} of {context}.",
    };

    private long Need(int sequences, int cells) => Weights + Compute + (KvPerToken * sequences * cells);

    private static string Show(long bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.00} GiB");
}
