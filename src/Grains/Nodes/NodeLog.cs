using Microsoft.Extensions.Logging;

namespace Herd.Grains.Nodes;

internal static partial class NodeLog
{
    [LoggerMessage(EventId = 400, Level = LogLevel.Information, Message = "Loading {Model} from {Path}")]
    public static partial void Loading(ILogger logger, string model, string path);

    [LoggerMessage(EventId = 401, Level = LogLevel.Information, Message = "{Model} is loaded after {Seconds:F1} s")]
    public static partial void Loaded(ILogger logger, string model, double seconds);

    [LoggerMessage(EventId = 402, Level = LogLevel.Critical, Message = "This node cannot serve: {Reason}")]
    public static partial void CannotServe(ILogger logger, string reason);

    [LoggerMessage(
        EventId = 403,
        Level = LogLevel.Error,
        Message = "The model '{Model}' is not loaded, and nothing changes: {Reason}")]
    public static partial void NotLoaded(ILogger logger, string model, string reason);
}
