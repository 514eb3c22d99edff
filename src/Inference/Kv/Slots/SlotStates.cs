using Herd.Inference.Kv.PrefixCache;
using Herd.Inference.Runtime;
using Microsoft.Extensions.Logging;

namespace Herd.Inference.Kv.Slots;

/// <summary>Copies the states of sequences off the device and back, and measures the time.</summary>
internal sealed class SlotStates(ILlamaContext context, KvRates rates, TimeProvider time, ILogger logger)
{
    /// <summary>A copy of what a slot holds.</summary>
    /// <returns>Null when the runtime failed; the slot is as it was.</returns>
    public StateBuffer? Save(KvSlot slot)
    {
        var started = time.GetTimestamp();
        var state = new StateBuffer(context.StateBytes(slot.Id));
        try
        {
            context.Save(slot.Id, state);
        }
        catch (DecodeException e)
        {
            KvLog.NotCopied(logger, slot.Tokens.Count, e.Message);
            state.Dispose();
            return null;
        }

        rates.Save.Record(state.Length, time.GetElapsedTime(started));
        rates.RecordSize(slot.Tokens.Count, state.Length);
        return state;
    }

    /// <summary>Fills an empty slot from a source that has some of its tokens.</summary>
    /// <returns>False if the runtime failed. The content of the slot is unknown then.</returns>
    public bool TryFill(KvSlot target, KvSource source, StateBuffer? state)
    {
        var started = time.GetTimestamp();
        try
        {
            if (source.Offloaded is { } offloaded)
            {
                context.Load(target.Id, state!);
                offloaded.LastUsed = started;
                target.Tokens.AddRange(offloaded.Tokens);
                rates.Restore.Record(offloaded.Bytes, time.GetElapsedTime(started));
            }
            else
            {
                context.Copy(source.Slot!.Id, target.Id);
                target.Tokens.AddRange(source.Slot.Tokens);
            }

            return true;
        }
        catch (DecodeException e)
        {
            KvLog.NotCopied(logger, source.Matched, e.Message);
            return false;
        }
    }
}
