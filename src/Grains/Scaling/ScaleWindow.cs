namespace Herd.Grains.Scaling;

/// <summary>
/// The maximum of the wanted sizes within a time window. So a larger size counts at once, and a smaller one only after
/// the window.
/// </summary>
internal sealed class ScaleWindow(TimeSpan length, TimeProvider time)
{
    private readonly Queue<(long At, int Wanted)> _wanted = new();

    /// <param name="wanted">The size that is wanted now.</param>
    /// <returns>The maximum within the window.</returns>
    public int Add(int wanted)
    {
        _wanted.Enqueue((time.GetTimestamp(), wanted));
        while (_wanted.Count > 1 && time.GetElapsedTime(_wanted.Peek().At) > length)
        {
            _wanted.Dequeue();
        }

        return _wanted.Max(entry => entry.Wanted);
    }
}
