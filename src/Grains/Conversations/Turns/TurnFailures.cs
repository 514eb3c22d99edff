using Herd.Contracts.Errors;
using Herd.Grains.Routing;
using Herd.Grains.Hosting;

namespace Herd.Grains.Conversations.Turns;

/// <summary>The nodes that failed a turn since it last waited.</summary>
internal sealed class TurnFailures
{
    /// <summary>After so many failed attempts the turn itself is the cause.</summary>
    private const int MaxAttempts = 8;

    private int _attempts;
    private HerdException? _overload;

    public HashSet<string> Excluded { get; } = [];

    public void Add(string node, Exception exception)
    {
        Excluded.Add(node);
        _attempts++;
        _overload ??= exception is HerdException { Error: HerdError.Overloaded } overload ? overload : null;
    }

    /// <exception cref="HerdException">
    /// A working node is overloaded, and waiting would add to its load; or too many attempts failed.
    /// </exception>
    public void ThrowIfHopeless(string model)
    {
        if (_overload is not null)
        {
            throw _overload;
        }

        if (_attempts >= MaxAttempts)
        {
            throw RoutingErrors.NoNodeReady($"the model '{model}'").With("attempts", _attempts);
        }
    }

    /// <summary>True if the exception shows that the node, and not the turn, is at fault.</summary>
    public static bool IsNodeFault(Exception exception) => exception switch
    {
        HerdException herd => herd.Error is HerdError.Unavailable or HerdError.Overloaded,
        _ => CallFailure.IsTransient(exception),
    };
}
