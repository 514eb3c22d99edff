namespace Herd.Simulator;

/// <summary>The behaviour of users, and the nodes that serve them. Times are in seconds.</summary>
internal static class Habits
{
    public const int Slots = 16;
    public const int ContextTokens = 8192;
    public const int DeviceTokens = 16_384;
    public const int HostTokens = 400_000;
    public const int SystemTokens = 170;

    private const double MeanThinking = 20;
    private const int MeanTurns = 4;
    private const double Busy = 0.7;

    /// <summary>A fifth of the nodes are half as fast.</summary>
    public static double Speed(int node) => node % 5 == 0 ? 0.5 : 1;

    /// <summary>The share of the time in which slots are busy. The rate of new conversations follows from it.</summary>
    public static double BegunPerSecond(int nodes)
    {
        var perTurn = (48 * 0.0285) + 0.15;
        return Busy * nodes * 0.9 * Slots / (perTurn * MeanTurns);
    }

    /// <summary>The number of turns of a conversation: at least one, three in the mean.</summary>
    public static int Turns(Random random)
    {
        var count = 1;
        while (random.NextDouble() < (MeanTurns - 1.0) / MeanTurns)
        {
            count++;
        }

        return count;
    }

    /// <summary>The tokens of a user's message.</summary>
    public static int Said(Random random) => 10 + random.Next(60);

    /// <summary>The tokens of an answer.</summary>
    public static int Answer(Random random) => 8 + random.Next(80);

    /// <summary>The time before a user's next turn.</summary>
    public static double Thinking(Random random) => -Math.Log(1 - random.NextDouble()) * MeanThinking;
}
