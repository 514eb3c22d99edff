using Herd.Contracts.Nodes;

namespace Herd.Grains.Conversations.Turns.Attempts;

/// <summary>
/// The outcome of an attempt at an answer: what happened to the node, the owner or the caller. docs/failover.md
/// describes each. Errors of the request are exceptions, because another attempt would not help.
/// </summary>
internal enum AttemptStatus
{
    /// <summary>The answer is complete.</summary>
    Completed,

    /// <summary>
    /// The node was killed, is frozen, its engine hangs or failed, its queue is full, or a call to it failed. The turn
    /// continues on another node.
    /// </summary>
    NodeFailed,

    /// <summary>The node drains and another node can run the turn. The turn continues there.</summary>
    NodeDraining,

    /// <summary>
    /// The KV cache could not be pulled. Nothing was generated; the turn is routed again, without the node.
    /// </summary>
    PullFailed,

    /// <summary>Another owner has the conversation. This one gives up.</summary>
    Fenced,

    /// <summary>The caller left, or another call took over the turn. The answer so far is stored.</summary>
    Cancelled,
}

/// <summary>The end of an attempt.</summary>
/// <param name="Status">The outcome.</param>
/// <param name="Result">The result of a completed answer; null otherwise.</param>
/// <param name="Fault">The exception of a failed node or a fence; null if a report showed it.</param>
internal readonly record struct AttemptOutcome(
    AttemptStatus Status, GenerationOutcome? Result = null, Exception? Fault = null);
