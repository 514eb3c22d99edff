namespace Herd.Inference.Grammars;

/// <summary>
/// Bounds the bytes that the grammars of a model remember. Above the bound those used least recently forget.
/// Thread-safe.
/// </summary>
/// <param name="limit">The bound in bytes, estimated.</param>
internal sealed class GrammarMemory(long limit)
{
    /// <summary>The bound for the grammars of a model: 64 MiB.</summary>
    public const long DefaultLimit = 64L << 20;

    private readonly Lock _lock = new();
    private readonly LinkedList<LevelStates> _used = new();
    private long _bytes;

    public long Bytes => Volatile.Read(ref _bytes);

    public void Add(long bytes) => Interlocked.Add(ref _bytes, bytes);

    /// <summary>Makes room if the bound is exceeded.</summary>
    /// <param name="user">The grammar that was used.</param>
    public void Check(LevelStates user)
    {
        if (Bytes <= limit && (user.IsRetired || _used.First?.Value == user))
        {
            return;
        }

        lock (_lock)
        {
            if (!user.IsRetired)
            {
                _used.Remove(user);
                _used.AddFirst(user);
            }
            else if (Bytes > limit)
            {
                user.Forget();
            }

            while (Bytes > limit && _used.Last is { } last)
            {
                _used.RemoveLast();
                last.Value.Forget();
            }
        }
    }

    /// <summary>Forgets a grammar that will not be used for other answers.</summary>
    public void Retire(LevelStates grammar)
    {
        lock (_lock)
        {
            grammar.IsRetired = true;
            _used.Remove(grammar);
            grammar.Forget();
        }
    }
}
