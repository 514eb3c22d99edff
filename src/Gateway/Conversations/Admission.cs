using System.Globalization;
using System.Threading.RateLimiting;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Hosting;
using Herd.Grains.Routing;
using Herd.Inference.Text;
using Microsoft.Extensions.Options;

namespace Herd.Gateway.Conversations;

/// <summary>
/// Refuses a turn that would wait too long, so that admitted turns keep their time to the first token. It uses the
/// wait that the turn has at least, by the nodes' reports, and the number of turns that wait at this gateway.
/// Thread-safe.
/// </summary>
internal sealed class Admission(Router router, IOptions<GatewayOptions> options) : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    private readonly ConcurrencyLimiter _waiting = new(new() { PermitLimit = options.Value.MaxWaiting });

    /// <summary>Admits a turn.</summary>
    /// <param name="tenant">The tenant's name.</param>
    /// <param name="turn">The turn.</param>
    /// <returns>To be disposed when the answer has its first token or the turn ends.</returns>
    /// <exception cref="HerdException">Overloaded, with the time after which to try again.</exception>
    public IDisposable Enter(string tenant, TurnRequest turn)
    {
        var wait = router.MinWait(turn.Model, tenant, turn.Settings.Priority, NewCharacters(turn.Input));
        if (wait > options.Value.MaxPredictedWait)
        {
            throw Refusal($"a turn would wait {wait.TotalSeconds:0.0} s", wait - options.Value.MaxPredictedWait);
        }

        var lease = _waiting.AttemptAcquire();
        return lease.IsAcquired
            ? lease
            : throw Refusal($"{options.Value.MaxWaiting} turns wait for their first token", Soon);
    }

    public void Dispose() => _waiting.Dispose();

    /// <summary>The approximate number of tokens behind the last answer: the KV cache has the others.</summary>
    public static int NewTokens(IReadOnlyList<Message> input) =>
        NewCharacters(input) / TokenEstimate.CharactersPerToken;

    private static int NewCharacters(IReadOnlyList<Message> input) =>
        input.Reverse().TakeWhile(message => message.Role != Role.Assistant).Sum(message => message.Text.Length);

    private static HerdException Refusal(FormattableString state, TimeSpan retryAfter) =>
        new HerdException(
            HerdError.Overloaded,
            $"The cluster is overloaded: {state.ToString(CultureInfo.InvariantCulture)}. Send the request again later.")
            .RetryAfter(retryAfter);
}
