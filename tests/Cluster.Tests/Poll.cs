namespace Herd.Cluster.Tests;

/// <summary>Waits for what no process announces.</summary>
internal static class Poll
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    /// <summary>Asks again and again until the answer satisfies a condition.</summary>
    /// <returns>That answer.</returns>
    public static async Task<T> Until<T>(Func<Task<T>> ask, Func<T, bool> holds)
    {
        while (true)
        {
            var answer = await ask();
            if (holds(answer))
            {
                return answer;
            }

            await Task.Delay(Interval, TestContext.Current.CancellationToken);
        }
    }
}
