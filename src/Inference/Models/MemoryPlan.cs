using System.Globalization;
using Herd.Inference.Models.Gguf;
using Herd.Inference.Runtime;

namespace Herd.Inference.Models;

/// <summary>
/// The device memory that a model needs, estimated from its file before it is loaded: weights, f16 keys and values for
/// every cell, and compute buffers for the logits and activations of a batch.
/// </summary>
/// <param name="Weights">Bytes of weights.</param>
/// <param name="KvPerToken">Bytes of keys and values of one token.</param>
/// <param name="Compute">Bytes of compute buffers.</param>
/// <param name="Sequences">The number of sequences.</param>
/// <param name="Cells">The maximum number of tokens of each sequence.</param>
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

    /// <summary>Throws if the model does not fit.</summary>
    /// <param name="available">Free bytes.</param>
    /// <param name="where">What has the memory, for the message.</param>
    /// <exception cref="ModelLoadException">
    /// The model does not fit. The message states what it needs and what would fit.
    /// </exception>
    public void Require(long available, string where)
    {
        if (Total > available)
        {
            throw new ModelLoadException(
                $"{Show(Total)} are needed, and {where} has {Show(available)} free: weights {Show(Weights)}, "
                + $"KV cache {Show(Kv)} ({Sequences} slots of {Cells} tokens), compute {Show(Compute)}. "
                + Advice(available));
        }
    }

    /// <summary>The maximum tokens of each sequence in this many bytes; 0 if none fit.</summary>
    public int LargestContext(long available) => (int)Math.Clamp(
        KvPerToken == 0 ? 0 : (available - Weights - Compute) / (KvPerToken * Sequences), 0, Cells);

    /// <summary>The maximum number of sequences of this length in this many bytes; 0 if none fit.</summary>
    public int MaxSlots(long available) => (int)Math.Clamp(
        KvPerToken == 0 ? 0 : (available - Weights - Compute) / (KvPerToken * Cells), 0, Sequences);

    private string Advice(long available) => (LargestContext(available), MaxSlots(available)) switch
    {
        ( <= 0, _) => "The model itself does not fit: choose a smaller one, or a machine with more memory.",
        (var context, <= 0) => $"What would fit: {Sequences} slots of {context} tokens. "
            + $"Set Node:ContextTokens (--context) to {context}.",
        var (context, slots) => $"What would fit: {slots} slots of {Cells} tokens, or {Sequences} of {context}. "
            + $"Set Node:Slots (--slots) to {slots}, or Node:ContextTokens (--context) to {context}.",
    };

    private long Need(int sequences, int cells) => Weights + Compute + (KvPerToken * sequences * cells);

    private static string Show(long bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.00} GiB");
}
