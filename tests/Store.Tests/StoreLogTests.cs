using Microsoft.Extensions.Logging;

namespace Herd.Store.Tests;

public sealed class StoreLogTests
{
    private readonly List<string> _lines = [];

    [Fact]
    public void Log_WritesFail_IsBrokenAndSaysSoOnce()
    {
        using var log = new StoreLog(_lines.Add);
        Log(log, LogLevel.Information, "CommitFailureException");
        Log(log, LogLevel.Error, "a client left\nat some line");
        Assert.Equal((false, "a client left"), (log.IsBroken, Assert.Single(_lines)));

        Log(log, LogLevel.Critical, $"Tsavorite.core.CommitFailureException: no space {new string('x', 9000)}");
        Log(log, LogLevel.Critical, "Tsavorite.core.CommitFailureException: no space");

        Assert.True(log.IsBroken);
        Assert.Equal(2, _lines.Count);
        Assert.InRange(_lines[1].Length, 100, 400);
    }

    private static void Log(StoreLog log, LogLevel level, string text) =>
        log.Log(level, default, text, null, (state, _) => state);
}
