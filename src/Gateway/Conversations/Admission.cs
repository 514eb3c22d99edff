using Herd.Contracts.Errors;
using Herd.Gateway.Hosting;
using Herd.Grains.Routing;
using Microsoft.Extensions.Options;

namespace Herd.Gateway.Conversations;

/// <summary>
/// Refuses turns at once that would wait too long, so that those let in keep their time to the first token: by the wait that is
/// foreseen on the node with the least to do, and by how many wait here. Thread-safe.
/// </summary>
internal sealed class Admission(ClusterView view, IOptions<GatewayOptions> options)
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    private int _waiting;

    /// <summary>Lets a turn in.</summary>
    /// <param name="model">The model; null means whichever is served.</param>
    /// <returns>Dispose when its answer begins, or it is over.</returns>
    /// <exception cref="HerdException">There is too much to do already; says when to try again.</exception>
    public IDisposable Enter(string? model)
    {
        var wait = view.ShortestQueue(model);
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
        new HerdException(HerdError.Overloaded, FormattableString.Invariant($"There is too much to do: {state}. Try again later.")).RetryAfter(retryAfter);

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
