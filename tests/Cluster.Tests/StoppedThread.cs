using System.Globalization;
using System.Runtime.InteropServices;

namespace Herd.Cluster.Tests;

/// <summary>
/// Stops one thread of a process, as a hanging driver does. The other threads run. Linux lets the thread run again
/// when the tracer ends.
/// </summary>
internal sealed partial class StoppedThread : IDisposable
{
    private const nint Seize = 0x4206;
    private const nint Interrupt = 0x4207;

    private readonly ManualResetEventSlim _over = new();
    private readonly Thread _tracer;

    public StoppedThread(int process, string name)
    {
        var thread = Directory.EnumerateDirectories($"/proc/{process}/task")
            .Single(task => File.ReadAllText($"{task}/comm").TrimEnd() == name);
        var id = nint.Parse(Path.GetFileName(thread), CultureInfo.InvariantCulture);
        var stopped = new TaskCompletionSource();
        _tracer = new Thread(() =>
        {
            if (Trace(Seize, id, 0, 0) < 0 || Trace(Interrupt, id, 0, 0) < 0)
            {
                stopped.SetException(new InvalidOperationException($"ptrace: {Marshal.GetLastPInvokeErrorMessage()}"));
                return;
            }

            stopped.SetResult();
            _over.Wait();
        });
        _tracer.Start();
        stopped.Task.GetAwaiter().GetResult();
    }

    public void Dispose()
    {
        _over.Set();
        _tracer.Join();
        _over.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "ptrace", SetLastError = true)]
    private static partial nint Trace(nint request, nint thread, nint address, nint data);
}
