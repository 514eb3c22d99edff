using Herd.Contracts.Errors;
using Herd.Gateway.Hosting;
using Herd.Grains.Routing;
using Microsoft.Extensions.Options;

namespace Herd.Gateway.Conversations;

/// <summary>
/// Refuses a turn that would wait too long, so that admitted turns keep their time to the first token. It uses the
/// predicted wait on the node with the shortest queue, and the number of turns that wait at this gateway. Thread-safe.
/// </summary>
internal sealed class Admission(Router router, IOptions<GatewayOptions> options)
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    private int _waiting;

    /// <summary>Admits a turn.</summary>
    /// <param name="model">The model; null means any served model.</param>
    /// <returns>To be disposed when the answer has its first token or the turn ends.</returns>
    /// <exception cref="HerdException">Overloaded, with the time after which to try again.</exception>
    public IDisposable Enter(string? model)
    {
        var wait = router.ShortestQueue(model);
        if (wait > options.Value.MaxWait)
        {
            throw Refusal($"a turn would wait {wait.TotalSeconds:0.0} s", wait - options.Value.MaxWait);
        }

        if (Interlocked.Increment(ref _waiting) > options.Value.MaxWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            throw Refusal($"{options.Value.MaxWaiting} turns wait for their first token", Soon);
        }

        return new Ticket(this);
    }

    private static HerdException Refusal(string state, TimeSpan retryAfter) =>
        new HerdException(
            HerdError.Overloaded,
            FormattableString.Invariant($"The cluster is overloaded: {state}. Send the request again later."))
            .RetryAfter(retryAfter);

    private sealed class Ticket(Admission admission) : IDisposable
    {
        private int _given;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _given, 1) == 0)
            {
                Interlocked.Decrement(ref admission._waiting);
            }
        }
    }
}
