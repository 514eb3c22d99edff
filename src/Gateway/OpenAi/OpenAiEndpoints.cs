using Herd.Gateway.Hosting;
using Herd.Gateway.OpenAi.Responses;
using Herd.Grains.Routing;

namespace Herd.Gateway.OpenAi;

/// <summary>The OpenAI API's routes.</summary>
internal static class OpenAiEndpoints
{
    private const string Owner = "herd";

    public static void MapOpenAi(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/chat/completions", ChatCompletions.Handle).Describes<ChatRequest, ChatCompletion>("OpenAI");
        routes.MapPost("/v1/completions", TextCompletions.Handle).Describes<TextRequest, TextCompletion>("OpenAI");
        routes.MapPost("/v1/embeddings", EmbeddingsEndpoint.Handle).Describes<EmbeddingRequest, EmbeddingList>(
            "OpenAI");
        routes.MapResponses();
        routes.MapConversations();
        routes.MapGet("/v1/models", (NodeRegistry registry) => TypedResults.Json(
            new ModelList("list", [.. registry.Models.Select(model => Entry(model.Id))]),
            OpenAiJson.Default.ModelList)).Describes<ModelList>("OpenAI");
        routes.MapGet("/v1/models/{id}", (
            string id, NodeRegistry registry) => registry.Models.Any(model => model.Id == id)
            ? TypedResults.Json(Entry(id), OpenAiJson.Default.ModelEntry)
            : throw RoutingErrors.NotServed(id, registry.Models)).Describes<ModelEntry>("OpenAI");
        routes.MapFallback("/v1/{**path}", (HttpContext context) =>
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return context.Response.WriteAsJsonAsync(
                new ErrorBody(new ErrorObject(
                    $"There is no {context.Request.Method} {context.Request.Path}.",
                    "invalid_request_error",
                    null,
                    "unknown_url")),
                OpenAiJson.Default.ErrorBody);
        });
    }

    private static ModelEntry Entry(string id) => new(id, "model", 0, Owner);
}
