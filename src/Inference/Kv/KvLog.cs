using Microsoft.Extensions.Logging;

namespace Herd.Inference.Kv;

internal static partial class KvLog
{
    [LoggerMessage(
        EventId = 110,
        Level = LogLevel.Warning,
        Message = "A KV cache of {Bytes} bytes was not written to disk: {Reason}")]
    public static partial void NotWritten(ILogger logger, long bytes, string reason);

    [LoggerMessage(
        EventId = 111, Level = LogLevel.Warning, Message = "A KV cache on disk is invalid and is dropped: {Reason}")]
    public static partial void NotRead(ILogger logger, string reason);

    [LoggerMessage(
        EventId = 112,
        Level = LogLevel.Warning,
        Message = "A KV cache of {Tokens} tokens could not be copied: {Reason}")]
    public static partial void NotCopied(ILogger logger, int tokens, string reason);
}
