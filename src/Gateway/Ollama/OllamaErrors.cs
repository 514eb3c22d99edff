using Herd.Contracts.Errors;

namespace Herd.Gateway.Ollama;

/// <summary>Writes Ollama's error object.</summary>
internal static class OllamaErrors
{
    public static Task Write(HttpResponse response, HerdException error) => response.WriteAsJsonAsync(
        new OllamaError(error.Message), OllamaJson.Default.OllamaError, cancellationToken: CancellationToken.None);
}
