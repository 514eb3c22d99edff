using Herd.Inference.Kv.Offload;
using Herd.Inference.Runtime;

namespace Herd.Inference.Tests.Generation;

/// <summary>
/// Files in memory. Writes and reads take a random time, fail, or hang until <see cref="LetGo"/>.
/// </summary>
/// <param name="capacity">The maximum bytes of all files.</param>
/// <param name="time">The clock.</param>
/// <param name="random">The dice.</param>
internal sealed class FaultyDisk(long capacity, TimeProvider time, Random random) : IDiskTier
{
    private readonly Dictionary<string, (int[] Tokens, byte[] State)> _files = [];
    private readonly List<(TimeSpan Due, Action Do)> _queued = [];
    private readonly long _started = time.GetTimestamp();

    /// <summary>One of so many operations fails, and another one hangs; 0 means none.</summary>
    public int Rarity { get; set; }

    /// <summary>The states that were read.</summary>
    public List<StateBuffer> States { get; } = [];

    public long Capacity => capacity;

    private TimeSpan Now => time.GetElapsedTime(_started);

    public IEnumerable<(OffloadedSession Session, DateTime LastUsed)> Recover() => [];

    public bool Write(OffloadedSession session, Action<long> written)
    {
        if (random.Next(10) == 0)
        {
            return false;
        }

        var content = session.State!.From(0).ToArray();
        Queue(() =>
        {
            var fails = Fails();
            if (!fails)
            {
                _files[session.Session] = (session.Tokens, content);
            }

            written(fails ? 0 : content.Length);
        });
        return true;
    }

    public void Read(OffloadedSession session, Action<StateBuffer?, TimeSpan> read)
    {
        var began = Now;
        Queue(() =>
        {
            StateBuffer? state = null;
            if (!Fails() && _files.TryGetValue(session.Session, out var file)
                && file.Tokens.SequenceEqual(session.Tokens))
            {
                state = new StateBuffer(file.State.Length);
                file.State.CopyTo(state.From(0));
                States.Add(state);
            }

            read(state, Now - began);
        });
    }

    public void Delete(string session) => _files.Remove(session);

    /// <summary>Does what is due.</summary>
    public void Serve()
    {
        foreach (var due in _queued.Where(queued => queued.Due <= Now).ToList())
        {
            _queued.Remove(due);
            due.Do();
        }
    }

    /// <summary>Ends everything that is under way, also what hangs.</summary>
    public void LetGo()
    {
        Rarity = 0;
        while (_queued.Count > 0)
        {
            var next = _queued[0];
            _queued.RemoveAt(0);
            next.Do();
        }
    }

    public void Dispose()
    {
    }

    private void Queue(Action action)
    {
        var length = TimeSpan.FromSeconds(random.NextDouble() * (random.Next(4) == 0 ? 3 : 0.02));
        _queued.Add((Fails() ? TimeSpan.MaxValue : Now + length, action));
    }

    private bool Fails() => Rarity > 0 && random.Next(Rarity) == 0;
}
