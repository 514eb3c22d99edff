namespace Herd.Grains.Hosting;

/// <summary>Runs an action when it is disposed of the first time.</summary>
internal sealed class ReleaseOnDispose(Action release) : IDisposable
{
    private Action? _release = release;

    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}
