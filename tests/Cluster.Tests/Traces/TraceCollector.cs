using System.Collections.Concurrent;
using System.Net;
using Herd.Testing;

namespace Herd.Cluster.Tests.Traces;

/// <summary>Receives the spans that processes export over OTLP.</summary>
internal sealed class TraceCollector : IAsyncDisposable
{
    private static readonly TimeSpan MaxWait = TimeSpan.FromMinutes(2);

    private readonly HttpListener _listener = new();
    private readonly ConcurrentQueue<Span> _spans = [];
    private readonly ConcurrentQueue<byte[]> _raw = [];
    private readonly Task _running;
    private TaskCompletionSource _came = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TraceCollector()
    {
        Endpoint = $"http://127.0.0.1:{Ports.Free()}";
        _listener.Prefixes.Add(Endpoint + "/");
        _listener.Start();
        _running = Run();
    }

    public string Endpoint { get; }

    /// <summary>The received requests.</summary>
    public IEnumerable<byte[]> Raw => _raw;

    /// <summary>Waits until the received spans satisfy a condition.</summary>
    /// <exception cref="TimeoutException">They did not for two minutes. The message has their names.</exception>
    public async Task<IReadOnlyList<Span>> Until(Func<IReadOnlyList<Span>, bool> enough, CancellationToken cancellation)
    {
        while (true)
        {
            var next = Volatile.Read(ref _came).Task;
            if (_spans.ToArray() is var spans && enough(spans))
            {
                return spans;
            }

            try
            {
                await next.WaitAsync(MaxWait, cancellation);
            }
            catch (TimeoutException)
            {
                throw new TimeoutException($"Received only: {string.Join(", ", spans.Select(span => span.Name))}.");
            }
        }
    }

    private async Task Run()
    {
        while (_listener.IsListening)
        {
            try
            {
                var context = await _listener.GetContextAsync();
                using var body = new MemoryStream();
                await context.Request.InputStream.CopyToAsync(body);
                context.Response.Close();
                _raw.Enqueue(body.ToArray());
                foreach (var span in Export.Parser.ParseFrom(body.ToArray()).Sources
                    .SelectMany(source => source.Scopes)
                    .SelectMany(scope => scope.Spans))
                {
                    _spans.Enqueue(span);
                }

                Interlocked
                    .Exchange(ref _came, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))
                    .SetResult();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _running;
    }
}
