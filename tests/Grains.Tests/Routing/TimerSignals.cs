using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Grains.Tests.Routing;

/// <summary>
/// Fake time that signals new timers, so that a test can let time pass when the tested code waits for it.
/// </summary>
internal sealed class TimerSignals : FakeTimeProvider
{
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(250);

    private readonly Channel<TimeSpan> _timers = Channel.CreateUnbounded<TimeSpan>();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        _timers.Writer.TryWrite(dueTime);
        return timer;
    }

    /// <summary>
    /// Waits until somebody waits for the time after which <c>NodeWatcher</c> tries again, and lets it pass.
    /// </summary>
    public async Task PassRetry(CancellationToken cancellation)
    {
        while (await _timers.Reader.ReadAsync(cancellation) != Retry)
        {
        }

        Advance(Retry);
    }
}
