using Herd.Contracts.Placements;
using Microsoft.Extensions.Logging;

namespace Herd.Grains.Conversations.Turns;

internal static partial class TurnLog
{
    [LoggerMessage(
        EventId = 500,
        Level = LogLevel.Warning,
        Message = "Node {Node} failed after {Tokens} tokens of an answer ({Kind}: {Reason}); " +
            "the answer continues on another node")]
    public static partial void NodeFailed(ILogger logger, string node, int tokens, string kind, string reason);

    [LoggerMessage(
        EventId = 501,
        Level = LogLevel.Information,
        Message = "An answer leaves node {Node} ({Reason}) after {Tokens} tokens and continues on another node")]
    public static partial void Left(ILogger logger, string node, PlacementReason reason, int tokens);
}
