namespace Herd.Grains.Routing;

/// <summary>Counts until it is disposed of, which counts once.</summary>
internal sealed class Reservation(Action release) : IDisposable
{
    private Action? _release = release;

    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}
