namespace Herd.Gateway.Hosting;

/// <summary>
/// Watches files by polling. The system's own notifications miss links that are swapped, as Kubernetes does with
/// mounted secrets.
/// </summary>
internal sealed class FileWatch : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly string[] _files;
    private readonly Action _changed;
    private readonly ITimer _timer;
    private string _seen;

    public FileWatch(Action changed, TimeProvider time, params string[] files)
    {
        (_changed, _files) = (changed, files);
        _seen = Look();
        _timer = time.CreateTimer(_ => Compare(), null, Interval, Interval);
    }

    public void Dispose() => _timer.Dispose();

    private void Compare()
    {
        var now = Look();
        if (now != _seen)
        {
            _seen = now;
            _changed();
        }
    }

    private string Look() => string.Join('|', _files.Select(path =>
    {
        var file = new FileInfo(path);
        file = file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
        return file.Exists ? $"{file.FullName} {file.LastWriteTimeUtc.Ticks} {file.Length}" : "";
    }));
}
