namespace Herd.Grains.Scaling;

/// <summary>The most that was wanted of late: more counts at once, less only when it has been enough for a while.</summary>
internal sealed class ScaleWindow(TimeSpan length, TimeProvider time)
{
    private readonly Queue<(long At, int Wanted)> _wanted = new();

    /// <param name="wanted">What is wanted now.</param>
    /// <returns>What it comes to.</returns>
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
