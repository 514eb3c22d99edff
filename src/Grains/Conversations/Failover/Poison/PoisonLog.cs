using Microsoft.Extensions.Logging;

namespace Herd.Grains.Conversations.Failover.Poison;

internal static partial class PoisonLog
{
    [LoggerMessage(
        EventId = 511,
        Level = LogLevel.Warning,
        Message = "The turn {Turn} of conversation {Conversation} failed the nodes {Nodes} one after the other. It is "
            + "taken to no other node, and is tried again on one of these (content {Digest})")]
    public static partial void Suspect(ILogger logger, string conversation, string turn, string nodes, string digest);

    [LoggerMessage(
        EventId = 512,
        Level = LogLevel.Error,
        Message = "The turn {Turn} of conversation {Conversation} is poison: it failed the nodes {Nodes}. Its content "
            + "{Digest} is refused until {Until}")]
    public static partial void Poison(
        ILogger logger, string conversation, string turn, string nodes, string digest, DateTimeOffset until);
}
