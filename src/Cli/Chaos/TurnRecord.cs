using Herd.V1;

namespace Herd.Cli.Chaos;

/// <summary>What a client saw of one turn that it took, over however many connections.</summary>
internal sealed record TurnRecord
{
    public required string Conversation { get; init; }

    public required string TurnId { get; init; }

    /// <summary>What was said.</summary>
    public required string Said { get; init; }

    /// <summary>The answer as it was streamed, pieces of all connections one after the other.</summary>
    public required string Streamed { get; init; }

    /// <summary>Tokens that were counted for it.</summary>
    public required int Tokens { get; init; }

    /// <summary>Whether the turn was acknowledged.</summary>
    public required bool IsAcknowledged { get; init; }

    /// <summary>Why the client gave up; null when it did not.</summary>
    public string? Failure { get; init; }

    /// <summary>Connections that it took.</summary>
    public int Connections { get; init; } = 1;

    /// <summary>How many nodes answered, one after the other.</summary>
    public int Nodes { get; init; }

    /// <summary>Each time that another node took the answer up: the last piece before, and when it had, as timestamps.</summary>
    public IReadOnlyList<(long LastPiece, long TakenUp)> Failovers { get; init; } = [];

    /// <summary>How often the answer began anew, since gateway and node were lost at once.</summary>
    public int Restarts { get; init; }

    /// <summary>The longest silence between two pieces of the answer, or before the first.</summary>
    public TimeSpan LongestGap { get; init; }

    /// <summary>When that ended, as a timestamp.</summary>
    public long LongestGapEnd { get; init; }

    /// <summary>When it was asked for, as a timestamp.</summary>
    public long Asked { get; init; }

    /// <summary>The node that answered last; empty when none has.</summary>
    public string Node { get; init; } = "";

    /// <summary>Until the first piece of the answer.</summary>
    public TimeSpan FirstPiece { get; init; }

    /// <summary>Whether it was answered, and could not be stored while the store was away.</summary>
    public bool IsUnsaved { get; init; }

    /// <summary>What the node that answered last took; null when none has.</summary>
    public Timings? Timings { get; init; }

    /// <summary>Tokens of the prompt, and those of them that were cached.</summary>
    public (int Prompt, int Cached) Warmth { get; init; }

    /// <summary>Whether most of the prompt was cached.</summary>
    public bool IsWarm => Warmth.Cached > Warmth.Prompt / 2;
}

/// <summary>A turn as it is stored at the end.</summary>
/// <param name="TurnId">Its id.</param>
/// <param name="Said">What was said.</param>
/// <param name="Answer">The answer.</param>
/// <param name="Tokens">How many tokens it has.</param>
/// <param name="IsCompleted">Whether it is complete.</param>
internal sealed record StoredTurn(string TurnId, string Said, string Answer, int Tokens, bool IsCompleted);
