using Herd.V1;

namespace Herd.Cli.Chaos;

/// <summary>A turn as its client saw it, over all its connections.</summary>
internal sealed record TurnRecord
{
    public required string Conversation { get; init; }

    public required string TurnId { get; init; }

    /// <summary>The message.</summary>
    public required string Said { get; init; }

    /// <summary>The streamed answer, the deltas of all connections in order.</summary>
    public required string Streamed { get; init; }

    /// <summary>The tokens of the answer.</summary>
    public required int Tokens { get; init; }

    /// <summary>True if the turn was acknowledged.</summary>
    public required bool IsAcknowledged { get; init; }

    /// <summary>The reason why the client gave up; null if it did not.</summary>
    public string? Failure { get; init; }

    /// <summary>True if the client left in the middle of the answer, for good.</summary>
    public bool IsAborted { get; init; }

    /// <summary>The number of connections.</summary>
    public int Connections { get; init; } = 1;

    /// <summary>The number of nodes that answered in turn.</summary>
    public int Nodes { get; init; }

    /// <summary>For each failover: the last delta before and the first one after, as timestamps.</summary>
    public IReadOnlyList<(long LastPiece, long TakenUp)> Failovers { get; init; } = [];

    /// <summary>The number of times that the answer began anew, because gateway and node were lost at once.</summary>
    public int Restarts { get; init; }

    /// <summary>The longest silence between two deltas, or before the first one.</summary>
    public TimeSpan LongestGap { get; init; }

    /// <summary>The end of that silence, as a timestamp.</summary>
    public long LongestGapEnd { get; init; }

    /// <summary>The time of the request, as a timestamp.</summary>
    public long Asked { get; init; }

    /// <summary>The last node; empty if none answered.</summary>
    public string Node { get; init; } = "";

    /// <summary>The time to the first delta.</summary>
    public TimeSpan FirstPiece { get; init; }

    /// <summary>True if it was answered but could not be stored, because the store did not respond.</summary>
    public bool IsUnsaved { get; init; }

    /// <summary>The timings of the last node; null if none answered.</summary>
    public Timings? Timings { get; init; }

    /// <summary>The tokens of the prompt, and how many of them were cached.</summary>
    public (int Prompt, int Cached) Warmth { get; init; }

    /// <summary>True if most of the prompt was cached.</summary>
    public bool IsWarm => Warmth.Cached > Warmth.Prompt / 2;
}

/// <summary>A turn as it is stored at the end of the run.</summary>
/// <param name="TurnId">Its id.</param>
/// <param name="Said">The message.</param>
/// <param name="Answer">The answer.</param>
/// <param name="Tokens">The tokens of the answer.</param>
/// <param name="IsCompleted">True if the turn is complete.</param>
internal sealed record StoredTurn(string TurnId, string Said, string Answer, int Tokens, bool IsCompleted);
