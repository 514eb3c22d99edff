namespace Herd.Cluster.Tests;

/// <summary>Half a minute of 'herd chaos' on three nodes and two gateways.</summary>
public sealed class ChaosTests : IAsyncDisposable
{
    private readonly HerdCluster _cluster = new();

    [Fact]
    public async Task Chaos_HalfAMinuteOfFaults_CheckerFindsNothing()
    {
        await _cluster.Up("--nodes", "3", "--gateways", "2");

        var chaos = await _cluster.Run("chaos", "--minutes", "0.5", "--seed", "1", "--conversations", "12");

        TestContext.Current.TestOutputHelper!.WriteLine(chaos.Output);
        Assert.True(chaos.ExitCode == 0, chaos.Output + chaos.Error);
        Assert.Contains("the checker found nothing wrong", chaos.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(" with 0 faults", chaos.Output, StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();
}
