using Herd.Inference.Runtime;
using LLama.Native;

namespace Herd.LLamaSharp;

internal sealed unsafe class LLamaSharpContext(SafeLLamaContextHandle handle, ContextOptions options, string layout)
    : ILlamaContext
{
    private readonly BatchOrder _order = new(options.Sequences);
    private readonly LLamaBatch _batch = new();

    public int Sequences => options.Sequences;

    public int CellsPerSequence { get; } = (int)handle.ContextSize / options.Sequences;

    public int BatchTokens => options.BatchTokens;

    public string Layout => layout;

    public void Decode(TokenBatch batch)
    {
        _order.Arrange(batch);
        _batch.Clear();
        Span<LLamaSeqId> sequence = stackalloc LLamaSeqId[1];
        foreach (var i in _order.Order[..batch.Count])
        {
            sequence[0] = (LLamaSeqId)batch.Sequences[i];
            _batch.Add(batch.Tokens[i], batch.Positions[i], sequence, batch.Outputs[i]);
        }

        var result = handle.Decode(_batch);
        if (result != DecodeResult.Ok)
        {
            throw new DecodeException(
                $"llama_decode returned {result} for a batch of {batch.Count} tokens.", (int)result);
        }

        // The first read of the logits waits for the device and sorts them. Later reads are thread-safe.
        if (batch.Outputs.LastIndexOf(true) is >= 0 and var output)
        {
            Logits(output);
        }
    }

    public ReadOnlySpan<float> Logits(int index) => handle.GetLogitsIth(_order[index]);

    public bool Truncate(int sequence, int length)
    {
        var id = (LLamaSeqId)sequence;
        handle.MemorySequenceRemove(id, length, -1);
        return (int)handle.MemorySequenceMaxPosition(id) < length;
    }

    public long StateBytes(int sequence) => (long)handle.GetStateSize((LLamaSeqId)sequence);

    public void Save(int sequence, StateBuffer target)
    {
        if (handle.GetState(target.Address, (nuint)target.Length, (LLamaSeqId)sequence) == 0)
        {
            throw new DecodeException($"llama_state_seq_get_data wrote nothing of sequence {sequence}.", 0);
        }
    }

    public void Load(int sequence, StateBuffer source)
    {
        Truncate(sequence, 0);
        if (handle.SetState(source.Address, (nuint)source.Length, (LLamaSeqId)sequence) == 0)
        {
            Truncate(sequence, 0);
            throw new DecodeException(
                $"llama_state_seq_set_data refused {source.Length} bytes for sequence {sequence}.", 0);
        }
    }

    /// <summary>Copies through host memory, for the reason given in LlamaCppContext.</summary>
    public void Copy(int source, int target)
    {
        using var state = new StateBuffer(StateBytes(source));
        Save(source, state);
        Load(target, state);
    }

    public void Dispose() => handle.Dispose();
}
