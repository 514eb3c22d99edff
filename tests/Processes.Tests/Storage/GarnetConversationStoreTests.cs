using StackExchange.Redis;

namespace Herd.Processes.Tests.Storage;

public sealed class GarnetConversationStoreTests(GarnetServer server) : ConversationStoreTests<GarnetServer>(server)
{
    [Fact]
    public async Task Write_StoreIsKilled_WhatWasAcknowledgedIsThere()
    {
        var last = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Write(null, New($"c{i}"))));
        var (written, isKilled, enough) = (0, false, new TaskCompletionSource());
        var writers = Enumerable.Range(0, last.Length).Select(writer => Task.Run(() => WriteOn(writer))).ToArray();
        await enough.Task;
        await Process.Kill();
        isKilled = true;
        await Process.Restart();
        await Task.WhenAll(writers);

        foreach (var acknowledged in last)
        {
            var read = (await Store.Read("t", acknowledged.Conversation.Id, TestContext.Current.CancellationToken))!;
            Assert.InRange(read.Revision, acknowledged.Revision, acknowledged.Revision + 1);
            Assert.Equal(read.Revision - 1, read.Conversation.Turns.Count);
        }

        async Task WriteOn(int writer)
        {
            try
            {
                while (!Volatile.Read(ref isKilled))
                {
                    var turns = last[writer].Conversation.Turns;
                    var longer = last[writer].Conversation with { Turns = [.. turns, Turn($"{turns.Count}")] };
                    last[writer] = await Write(last[writer], longer, firstTurn: turns.Count);
                    if (Interlocked.Increment(ref written) == 200)
                    {
                        enough.SetResult();
                    }
                }
            }
            catch (Exception e) when (e is RedisException or TimeoutException)
            {
                // The store was killed before it answered.
            }
        }
    }
}
