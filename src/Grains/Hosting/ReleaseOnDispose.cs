namespace Herd.Grains.Hosting;

/// <summary>Runs an action at the first disposal. Thread-safe.</summary>
public sealed class ReleaseOnDispose(Action release) : IDisposable
{
    private Action? _release = release;

    /// <inheritdoc/>
    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}
