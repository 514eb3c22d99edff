namespace Herd.Inference.Runtime;

/// <summary>A model could not be loaded. The message says which file, what was wrong and what to do.</summary>
public sealed class ModelLoadException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The runtime could not compute a step.</summary>
/// <param name="message">The message.</param>
/// <param name="status">The status code of the runtime.</param>
public sealed class DecodeException(string message, int status) : Exception(message)
{
    public int Status { get; } = status;
}
