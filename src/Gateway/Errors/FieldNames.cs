using Herd.Contracts.Errors;
using Herd.Gateway.Ollama;

namespace Herd.Gateway.Errors;

/// <summary>
/// Renames the fields in errors of nodes. Some settings can only be checked by a node, because it has the model. It
/// names them as chat completions do; the client sees the name that its interface has.
/// </summary>
internal static class FieldNames
{
    private const string Bias = "logit_bias";
    private const string Messages = "messages";
    private const string Form = "response_format";

    /// <summary>The error with the field's name in the interface.</summary>
    /// <param name="error">The error.</param>
    /// <param name="path">The path of the request, which shows the interface.</param>
    public static HerdException Rename(HerdException error, string path) =>
        error.Parameter is { } field && NameOf(field, path) is var name && name != field
            ? Copy(error, field, name)
            : error;

    private static string NameOf(string field, string path) => field switch
    {
        Bias when IsGrpc(path) => "sampling.logit_bias",
        Form when IsGrpc(path) => "form",
        Form when OllamaEndpoints.IsOwn(path) => "format",
        Form when path.StartsWith("/v1/responses", StringComparison.Ordinal) => "text.format",
        Messages when path.StartsWith("/v1/responses", StringComparison.Ordinal) => "input",
        Messages when path.StartsWith("/api/generate", StringComparison.Ordinal) => "prompt",
        _ => field,
    };

    private static bool IsGrpc(string path) => path.StartsWith("/herd.v1.", StringComparison.Ordinal);

    private static HerdException Copy(HerdException error, string field, string name)
    {
        var (quoted, message) = ($"'{field}'", error.Message);
        var renamed = new HerdException(
            error.Error,
            message.StartsWith(quoted, StringComparison.Ordinal) ? $"'{name}'{message[quoted.Length..]}" : message,
            name);
        foreach (var (detail, value) in error.Details)
        {
            renamed.With(detail, value);
        }

        return renamed;
    }
}
