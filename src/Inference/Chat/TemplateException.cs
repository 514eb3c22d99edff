namespace Herd.Inference.Chat;

/// <summary>A chat template could not be read, refused the messages, or went over its limits.</summary>
public sealed class TemplateException(string message, Exception? inner = null) : Exception(message, inner);
