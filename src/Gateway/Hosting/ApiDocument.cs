using System.Text.Json;
using Herd.Gateway.Anthropic;
using Herd.Gateway.Llama;
using Herd.Gateway.Ollama;
using Herd.Gateway.OpenAi;
using Herd.Gateway.OpenAi.Responses;
using Microsoft.AspNetCore.Authorization;
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
                document.Info.Description = "docs/api.md lists what is supported, row by row.";
                return Task.CompletedTask;
            });
        });
    }

    public static void MapApiDocument(this IEndpointRouteBuilder routes)
    {
        routes.MapOpenApi("/openapi.json");
        var page = routes.MapGroup("");
        page.MapScalarApiReference("/docs", options => options.WithOpenApiRoutePattern("/openapi.json"));
        ((IEndpointConventionBuilder)page).Finally(Close);
    }

    /// <summary>
    /// Describes the bodies of a route's request and response, which its handler reads and writes itself. A request
    /// without a content type is accepted too.
    /// </summary>
    public static RouteHandlerBuilder Describes<TRequest, TResponse>(this RouteHandlerBuilder route, string tag)
        where TRequest : notnull => route
        .Accepts<TRequest>(isOptional: true, "application/json", "*/*")
        .Produces<TResponse>()
        .WithTags(tag);

    /// <summary>Describes the body of a route's response.</summary>
    public static RouteHandlerBuilder Describes<TResponse>(this RouteHandlerBuilder route, string tag) =>
        route.Produces<TResponse>().WithTags(tag);

    /// <summary>Takes back that everybody may call an endpoint. Scalar maps its scripts so.</summary>
    private static void Close(EndpointBuilder endpoint)
    {
        foreach (var open in endpoint.Metadata.OfType<IAllowAnonymous>().ToList())
        {
            endpoint.Metadata.Remove(open);
        }
    }
}
