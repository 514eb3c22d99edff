using System.Globalization;
using Herd.V1;

namespace Herd.Cluster.Tests;

/// <summary>Two nodes and two gateways with the real model. Only tests move sessions: the rebalancer is off.</summary>
public sealed class TwoGateways : HerdCluster, IAsyncLifetime
{
    public const string Story = "Tell me a very long story about a dragon.";

    public async ValueTask InitializeAsync()
    {
        SetEnvironment("Rebalance__Interval", "00:00:00");
        await Restore();
    }

    /// <summary>Starts the processes that a test ended.</summary>
    public Task Restore() => Up("--gateways", "2");

    /// <summary>An action to run once, in mid-answer: when ten tokens have come.</summary>
    public static Func<string, int, Task> Once(Func<Task> action)
    {
        var done = false;
        return async (_, tokens) =>
        {
            if (tokens >= 10 && !done)
            {
                done = true;
                await action();
            }
        };
    }

    /// <summary>Checks that the later turn found the whole earlier one in the KV cache.</summary>
    public static void AssertWarm(Turn first, Turn second) => Assert.True(
        second.Usage.CachedTokens >= first.Usage.PromptTokens + first.Usage.CompletionTokens - 1,
        string.Create(CultureInfo.InvariantCulture, $"{second.Usage.CachedTokens} of {first.Usage.PromptTokens} "
            + $"+ {first.Usage.CompletionTokens} tokens were kept."));
}

/// <summary>
/// The cluster whose processes classes kill, freeze and drain. Each test leaves all of them running and ready.
/// </summary>
[CollectionDefinition(nameof(TwoGateways))]
public sealed class TwoGatewaysCollection : ICollectionFixture<TwoGateways>;
