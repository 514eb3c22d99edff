using Microsoft.Extensions.Logging;

namespace Herd.Inference.Generation;

internal static partial class EngineLog
{
    [LoggerMessage(EventId = 100, Level = LogLevel.Error,
        Message = "A step of {Tokens} tokens for {Sequences} sequences failed; these answers end with an error")]
    public static partial void StepFailed(ILogger logger, Exception exception, int tokens, int sequences);

    [LoggerMessage(
        EventId = 101, Level = LogLevel.Critical, Message = "The engine's loop failed; the engine has stopped")]
    public static partial void LoopFailed(ILogger logger, Exception exception);

    [LoggerMessage(
        EventId = 102, Level = LogLevel.Error, Message = "An answer could not be sampled; it ends with an error")]
    public static partial void AnswerFailed(ILogger logger, Exception exception);
}
