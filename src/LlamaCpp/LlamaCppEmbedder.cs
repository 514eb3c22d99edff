using System.Numerics.Tensors;
using Herd.Inference.Runtime;
using Herd.LlamaCpp.Native;

namespace Herd.LlamaCpp;

/// <summary>A context with pooling. It computes a whole text in one batch and keeps no state.</summary>
internal sealed unsafe class LlamaCppEmbedder(ContextHandle handle, int maxTokens, int dimensions) : ILlamaEmbedder
{
    public int MaxTokens => maxTokens;

    public float[] Embed(ReadOnlySpan<int> tokens)
    {
        Llama.MemorySequenceRemove(Llama.GetMemory(handle), 0, 0, -1);
        var (positions, counts, outputs) = (new int[tokens.Length], new int[tokens.Length], new byte[tokens.Length]);
        var sequence = 0;
        var sequences = stackalloc int*[tokens.Length];
        for (var i = 0; i < tokens.Length; i++)
        {
            (positions[i], counts[i], outputs[i]) = (i, 1, 1);
            sequences[i] = &sequence;
        }

        fixed (int* ids = tokens, at = positions, count = counts)
        fixed (byte* output = outputs)
        {
            var status = Llama.Decode(handle, new Batch
            {
                Count = tokens.Length,
                Tokens = ids,
                Positions = at,
                SequenceCounts = count,
                Sequences = sequences,
                Outputs = output,
            });
            var pooled = status == 0 ? Llama.GetSequenceEmbeddings(handle, 0) : null;
            if (pooled is null)
            {
                throw new DecodeException(
                    $"llama.cpp computed no embedding of {tokens.Length} tokens: {NativeLog.TakeErrors()}", status);
            }

            var vector = new ReadOnlySpan<float>(pooled, dimensions).ToArray();
            TensorPrimitives.Divide(vector, Math.Max(TensorPrimitives.Norm<float>(vector), float.Epsilon), vector);
            return vector;
        }
    }

    public void Dispose() => handle.Dispose();
}
