using System.Collections.Concurrent;
using Herd.Grains.Hosting;

namespace Herd.Grains.Conversations.Failover.Poison;

/// <summary>
/// Suspect content and trials, as the store has them. While the store is away, this gateway's memory stands for it.
/// </summary>
public sealed class PoisonRegister(IPoisonStore store, TimeProvider time)
{
    /// <summary>The time after which a trial of a gateway that was lost no longer holds its node.</summary>
    private static readonly TimeSpan TrialExpiry = TimeSpan.FromMinutes(2);

    private readonly ConcurrentDictionary<string, Known> _known = [];
    private readonly ConcurrentDictionary<string, string> _trials = [];
    private long _verdicts;

    /// <summary>The turns that this gateway found to be poison.</summary>
    public long Verdicts => Interlocked.Read(ref _verdicts);

    /// <returns>Null if nothing is held against the content.</returns>
    public async Task<SuspectContent?> Find(string digest)
    {
        var known = _known.GetValueOrDefault(digest);
        try
        {
            if (known is { Content: { } unsaved, IsStored: false })
            {
                await store.Save(unsaved);
                known = known with { IsStored = true };
            }
            else
            {
                known = new Known(await store.Find(digest), IsStored: true);
            }
        }
        catch (Exception e) when (CallFailure.IsTransient(e))
        {
            // The memory says what is known.
        }

        if (known.Content is null || known.Content.Expires <= time.GetUtcNow())
        {
            _known.TryRemove(digest, out _);
            return null;
        }

        _known[digest] = known;
        return known.Content;
    }

    /// <summary>All content against which something is held, oldest first.</summary>
    public async Task<IReadOnlyList<SuspectContent>> List()
    {
        var all = _known.Values.Select(known => known.Content!);
        try
        {
            all = await store.List();
        }
        catch (Exception e) when (CallFailure.IsTransient(e))
        {
            // The memory says what is known.
        }

        return [.. all.Where(content => content.Expires > time.GetUtcNow()).OrderBy(content => content.Expires)];
    }

    /// <summary>Saves suspect content, and removes what has expired.</summary>
    public async Task Save(SuspectContent content)
    {
        if (content.IsPoison)
        {
            Interlocked.Increment(ref _verdicts);
        }

        _known[content.Digest] = new Known(content, IsStored: false);
        foreach (var old in _known.Where(known => known.Value.Content!.Expires <= time.GetUtcNow()))
        {
            _known.TryRemove(old);
        }

        try
        {
            await store.Save(content);
            _known[content.Digest] = new Known(content, IsStored: true);
            foreach (var old in (await store.List()).Where(old => old.Expires <= time.GetUtcNow()))
            {
                await store.Remove(old.Digest);
            }
        }
        catch (Exception e) when (CallFailure.IsTransient(e))
        {
            // This gateway knows it, and tells the store when the content is asked for.
        }
    }

    /// <summary>Removes content that was computed without harm.</summary>
    public async Task Remove(string digest)
    {
        _known.TryRemove(digest, out _);
        try
        {
            await store.Remove(digest);
        }
        catch (Exception e) when (CallFailure.IsTransient(e))
        {
            // It expires.
        }
    }

    /// <summary>Reserves a node for a trial.</summary>
    /// <returns>False if another trial has it.</returns>
    public async Task<bool> TryReserve(string node, string trial)
    {
        if (!_trials.TryAdd(node, trial))
        {
            return false;
        }

        try
        {
            if (await store.TryReserve(node, trial, TrialExpiry))
            {
                return true;
            }
        }
        catch (Exception e) when (CallFailure.IsTransient(e))
        {
            return true;
        }

        _trials.TryRemove(node, out _);
        return false;
    }

    public async Task EndReservation(string node, string trial)
    {
        if (_trials.TryRemove(KeyValuePair.Create(node, trial)))
        {
            try
            {
                await store.EndReservation(node, trial);
            }
            catch (Exception e) when (CallFailure.IsTransient(e))
            {
                // It expires.
            }
        }
    }

    /// <param name="Content">What is known of the content.</param>
    /// <param name="IsStored">True if the store had it, so that its absence there is news.</param>
    private readonly record struct Known(SuspectContent? Content, bool IsStored);
}
