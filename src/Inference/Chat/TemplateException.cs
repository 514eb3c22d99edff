namespace Herd.Inference.Chat;

/// <summary>A chat template could not be parsed, rejected the messages, or exceeded its limits.</summary>
public sealed class TemplateException(string message, Exception? inner = null) : Exception(message, inner);
