using Herd.Grains.Accounting.Ledger;
using StackExchange.Redis;

namespace Herd.Processes.Tests.Storage;

public sealed class GarnetLedgerTests(GarnetServer server) : UsageLedgerTests<GarnetServer>(server)
{
    /// <summary>Writers repeat what was not confirmed. No record is lost or counts twice.</summary>
    [Fact]
    public async Task Write_StoreIsKilled_SumsAreThoseOfTheTurns()
    {
        var written = new int[4];
        var (isKilled, enough) = (false, new TaskCompletionSource());
        var writers = Enumerable.Range(0, written.Length).Select(writer => Task.Run(() => WriteOn(writer))).ToArray();
        await enough.Task;
        await Server.Process.Kill();
        isKilled = true;
        await Server.Process.Restart();
        await Task.WhenAll(writers);
        for (var writer = 0; writer < written.Length; writer++)
        {
            await Retry(New(writer, written[writer]));
        }

        var sum = Assert.Single(await Ledger.Read(Day));

        Assert.Equal((written.Length, 1000L * written.Length), (sum.Turns, sum.PromptTokens));
        Assert.Equal(written.Sum(), sum.CompletionTokens);

        UsageRecord New(int writer, int tokens) => Record($"{writer}", UsageState.Running, 1000, 0, tokens);

        async Task WriteOn(int writer)
        {
            try
            {
                while (!Volatile.Read(ref isKilled))
                {
                    await Ledger.Write([New(writer, ++written[writer])]);
                    if (written.Sum() > 200)
                    {
                        enough.TrySetResult();
                    }
                }
            }
            catch (Exception e) when (e is RedisException or TimeoutException)
            {
                // The store was killed before it answered.
            }
        }

        async Task Retry(UsageRecord record)
        {
            while (true)
            {
                try
                {
                    await Ledger.Write([record]);
                    return;
                }
                catch (Exception e) when (e is RedisException or TimeoutException)
                {
                    await Task.Yield();
                }
            }
        }
    }
}
