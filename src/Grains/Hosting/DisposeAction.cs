namespace Herd.Grains.Hosting;

/// <summary>Runs an action when it is disposed of the first time.</summary>
internal sealed class DisposeAction(Action action) : IDisposable
{
    private Action? _action = action;

    public void Dispose() => Interlocked.Exchange(ref _action, null)?.Invoke();
}
