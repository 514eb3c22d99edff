using System.Runtime.InteropServices;
using System.Text.Json;
using Herd.Gateway.Conversations;
using Herd.Gateway.Generation;
using Herd.Gateway.Requests;
using Herd.Gateway.Tenants;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.OpenAi;

/// <summary>POST /v1/embeddings.</summary>
internal static class EmbeddingsEndpoint
{
    private const int MaxTexts = 256;

    public static async Task<IResult> Handle(HttpContext context, EmbeddingClient embeddings)
    {
        var request = await context.Request.Read(OpenAiJson.Default.EmbeddingRequest, "an embedding request");
        var model = RequireModel(request.Model);
        var asBase64 = request.EncodingFormat switch
        {
            null or "float" => false,
            "base64" => true,
            _ => throw Bad("'encoding_format' must be float or base64.", "encoding_format"),
        };
        if (request.Dimensions is not null)
        {
            throw Bad("'dimensions' is not supported. Leave it out.", "dimensions");
        }

        var (vectors, used) = await embeddings.Embed(
            context.Tenant(), model, Texts(("input", request.Input)));
        return TypedResults.Json(
            new EmbeddingList(
                [.. vectors.Select((vector, i) => new EmbeddingObject(i, Encode(vector, asBase64)))],
                model,
                new EmbeddingUsage(used, used)),
            OpenAiJson.Default.EmbeddingList);
    }

    /// <summary>The texts of an input, which is a text or an array of texts.</summary>
    public static IReadOnlyList<string> Texts(Field<JsonElement?> input) => input.Kind() switch
    {
        JsonValueKind.String => [input.Text()!],
        JsonValueKind.Array when input.Texts().Value is { Count: >= 1 and <= MaxTexts } texts => texts,
        _ => throw Bad($"'input' must be a text, or 1 to {MaxTexts} texts. Tokens are not supported.", "input"),
    };

    private static JsonElement Encode(float[] vector, bool asBase64) => asBase64
        ? JsonSerializer.SerializeToElement(
            Convert.ToBase64String(MemoryMarshal.AsBytes<float>(vector)), OpenAiJson.Default.String)
        : JsonSerializer.SerializeToElement(vector, OpenAiJson.Default.SingleArray);
}

/// <summary>The body of POST /v1/embeddings.</summary>
/// <param name="Model">The model.</param>
/// <param name="Input">A text, or several.</param>
/// <param name="EncodingFormat">float or base64.</param>
/// <param name="Dimensions">Not supported.</param>
internal sealed record EmbeddingRequest(
    string? Model, JsonElement? Input, string? EncodingFormat = null, int? Dimensions = null);

internal sealed record EmbeddingList(IReadOnlyList<EmbeddingObject> Data, string Model, EmbeddingUsage Usage)
{
    public string Object { get; } = "list";
}

internal sealed record EmbeddingObject(int Index, JsonElement Embedding)
{
    public string Object { get; } = "embedding";
}

internal sealed record EmbeddingUsage(int PromptTokens, int TotalTokens);
