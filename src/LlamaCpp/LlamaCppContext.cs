using System.Runtime.InteropServices;
using Herd.Inference.Runtime;
using Herd.LlamaCpp.Native;

namespace Herd.LlamaCpp;

internal sealed unsafe class LlamaCppContext : ILlamaContext
{
    private readonly ModelHandle _model;
    private readonly ContextHandle _handle;
    private readonly ThreadPoolHandle _threads;
    private readonly int _vocabulary;
    private readonly Batch _batch;
    private readonly BatchOrder _order;

    public LlamaCppContext(
        ModelHandle model, ContextHandle handle, ContextOptions options, int vocabulary, string layout)
    {
        var kept = false;
        model.DangerousAddRef(ref kept);
        _model = model;
        _handle = handle;
        _vocabulary = vocabulary;
        Layout = layout;
        Sequences = options.Sequences;
        BatchTokens = options.BatchTokens;
        CellsPerSequence = (int)Llama.CellsPerSequence(handle);

        // Without a pool every decode would start new threads.
        _threads = new ThreadPoolHandle(options.Threads);
        Llama.AttachThreadPool(handle, _threads, _threads);
        _batch = AllocateBatch(options.BatchTokens);
        _order = new BatchOrder(options.Sequences);
    }

    public int Sequences { get; }

    public int CellsPerSequence { get; }

    public int BatchTokens { get; }

    public string Layout { get; }

    public void Decode(TokenBatch batch)
    {
        _order.Arrange(batch);
        var native = _batch;
        Fill(batch, ref native);
        var status = Llama.Decode(_handle, native);
        if (status != 0)
        {
            throw new DecodeException(
                $"llama_decode returned {status} for a batch of {batch.Count} tokens: {NativeLog.TakeErrors()}",
                status);
        }

        // The first read of the logits waits for the device and sorts them. Later reads are thread-safe.
        if (batch.Outputs.LastIndexOf(true) is >= 0 and var output)
        {
            Logits(output);
        }
    }

    public ReadOnlySpan<float> Logits(int index) => new(Llama.GetLogits(_handle, _order[index]), _vocabulary);

    public bool Truncate(int sequence, int length) =>
        Llama.MemorySequenceRemove(Llama.GetMemory(_handle), sequence, length, -1);

    public long StateBytes(int sequence) => (long)Llama.StateSize(_handle, sequence);

    public void Save(int sequence, StateBuffer target)
    {
        var size = Llama.StateGet(_handle, target.Address, (nuint)target.Length, sequence);
        if (size == 0)
        {
            throw new DecodeException(
                $"llama_state_seq_get_data wrote nothing of sequence {sequence}: {NativeLog.TakeErrors()}", 0);
        }
    }

    public void Load(int sequence, StateBuffer source)
    {
        Truncate(sequence, 0);
        var size = Llama.StateSet(_handle, source.Address, (nuint)source.Length, sequence);
        if (size == 0)
        {
            Truncate(sequence, 0);
            throw new DecodeException(
                $"llama_state_seq_set_data refused {source.Length} bytes for "
                    + $"sequence {sequence}: {NativeLog.TakeErrors()}", 0);
        }
    }

    /// <summary>
    /// Copies through host memory. llama_memory_seq_cp between streams copies every cell, used or not, and only at the
    /// next decode, so a state saved or loaded before that would be wrong.
    /// </summary>
    public void Copy(int source, int target)
    {
        using var state = new StateBuffer(StateBytes(source));
        Save(source, state);
        Load(target, state);
    }

    public void Dispose()
    {
        if (!_handle.IsClosed)
        {
            _handle.Dispose();
            _threads.Dispose();
            NativeMemory.Free(_batch.Sequences);
            _model.DangerousRelease();
        }
    }

    private void Fill(TokenBatch batch, ref Batch native)
    {
        for (var row = 0; row < batch.Count; row++)
        {
            var i = _order.Order[row];
            native.Tokens[row] = batch.Tokens[i];
            native.Positions[row] = batch.Positions[i];
            *native.Sequences[row] = batch.Sequences[i];
            native.Outputs[row] = batch.Outputs[i] ? (byte)1 : (byte)0;
        }

        native.Count = batch.Count;
    }

    /// <summary>One block for all arrays of a batch, Sequences first. Each token belongs to one sequence.</summary>
    private static Batch AllocateBatch(int capacity)
    {
        var bytesPerToken = sizeof(int*) + 4 * sizeof(int) + sizeof(byte);
        var pointers = (int**)NativeMemory.AllocZeroed((nuint)capacity, (nuint)bytesPerToken);
        var ids = (int*)(pointers + capacity);
        var counts = ids + capacity;
        var tokens = counts + capacity;
        var positions = tokens + capacity;
        for (var i = 0; i < capacity; i++)
        {
            pointers[i] = ids + i;
            counts[i] = 1;
        }

        return new Batch
        {
            Tokens = tokens,
            Positions = positions,
            SequenceCounts = counts,
            Sequences = pointers,
            Outputs = (byte*)(positions + capacity),
        };
    }
}
