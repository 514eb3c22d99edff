using System.Text.Json;
using Herd.Gateway.Anthropic;
using Herd.Gateway.Llama;
using Herd.Gateway.Ollama;
using Herd.Gateway.OpenAi;
using Herd.Gateway.OpenAi.Responses;
using Microsoft.AspNetCore.OpenApi;
using Scalar.AspNetCore;

namespace Herd.Gateway.Hosting;

/// <summary>The OpenAPI document of the HTTP interfaces, and its page.</summary>
internal static class ApiDocument
{
    public static void AddApiDocument(this IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(http =>
        {
            http.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
            var resolvers = http.SerializerOptions.TypeInfoResolverChain;
            resolvers.Add(OpenAiJson.Default);
            resolvers.Add(ResponsesJson.Default);
            resolvers.Add(AnthropicJson.Default);
            resolvers.Add(OllamaJson.Default);
            resolvers.Add(LlamaJson.Default);
        });
        services.AddOpenApi(options =>
        {
            // Interfaces have types of the same name.
            options.CreateSchemaReferenceId = type => OpenApiOptions.CreateDefaultSchemaReferenceId(type) is { } name
                ? type.Type.Namespace?.Split('.')[^1] + name
                : null;
            options.AddDocumentTransformer((document, _, _) =>
            {
                (document.Info.Title, document.Info.Version) = ("Herd", "1");
                document.Info.Description = "docs/api.md says row by row what is supported.";
                return Task.CompletedTask;
            });
        });
    }

    public static void MapApiDocument(this IEndpointRouteBuilder routes)
    {
        routes.MapOpenApi("/openapi.json");
        routes.MapScalarApiReference("/docs", options => options.WithOpenApiRoutePattern("/openapi.json"));
    }

    /// <summary>What a route reads and answers, which its handler reads and writes by itself. Clients that name no content type are read too.</summary>
    public static RouteHandlerBuilder Describes<TRequest, TResponse>(this RouteHandlerBuilder route, string tag)
        where TRequest : notnull => route.Accepts<TRequest>(isOptional: true, "application/json", "*/*").Produces<TResponse>().WithTags(tag);

    /// <summary>What a route answers.</summary>
    public static RouteHandlerBuilder Describes<TResponse>(this RouteHandlerBuilder route, string tag) => route.Produces<TResponse>().WithTags(tag);
}
