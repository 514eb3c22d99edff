using System.Runtime.InteropServices;
using Herd.Inference.Runtime;

namespace Herd.Inference.Generation;

/// <summary>The KV caches on the device. A session keeps its slot between turns until another needs it more.</summary>
internal sealed class KvCache
{
    private readonly ILlamaContext _context;
    private readonly KvSlot[] _slots;
    private long _uses;

    public KvCache(ILlamaContext context)
    {
        _context = context;
        _slots = [.. Enumerable.Range(0, context.Sequences).Select(id => new KvSlot(id))];
    }

    public IReadOnlyList<KvSlot> Slots => _slots;

    /// <summary>Gives a sequence a slot that holds as much of its tokens as is known of its session.</summary>
    /// <returns>False when every slot is busy, or the session's own is.</returns>
    public bool TryAcquire(Sequence sequence)
    {
        var slot = Array.Find(_slots, s => s.Session == sequence.Session) ?? LongestUnused();
        if (slot is null or { Owner: not null })
        {
            return false;
        }

        if (slot.Session != sequence.Session)
        {
            Clear(slot);
            slot.Session = sequence.Session;
        }

        // The last token is computed in any case: its logits are needed.
        var common = CollectionsMarshal.AsSpan(slot.Tokens).CommonPrefixLength(CollectionsMarshal.AsSpan(sequence.Tokens));
        Truncate(slot, Math.Min(common, sequence.Tokens.Count - 1));
        slot.Owner = sequence;
        slot.LastUsed = ++_uses;
        sequence.Slot = slot;
        return true;
    }

    public void Release(KvSlot slot)
    {
        slot.Owner = null;
        slot.LastUsed = ++_uses;
    }

    /// <summary>Empties a slot: what its cells hold is not known, or not wanted.</summary>
    public void Clear(KvSlot slot)
    {
        slot.Session = null;
        slot.Tokens.Clear();
        _context.Truncate(slot.Id, 0);
    }

    public void Forget(string session)
    {
        if (Array.Find(_slots, s => s.Session == session && s.Owner is null) is { } slot)
        {
            Clear(slot);
        }
    }

    private KvSlot? LongestUnused() =>
        _slots.Where(s => s.Owner is null).OrderBy(s => s.Session is not null).ThenBy(s => s.LastUsed).FirstOrDefault();

    private void Truncate(KvSlot slot, int length)
    {
        if (length < slot.Tokens.Count)
        {
            if (!_context.Truncate(slot.Id, length))
            {
                length = 0;
                _context.Truncate(slot.Id, 0);
            }

            CollectionsMarshal.SetCount(slot.Tokens, length);
        }
    }
}
