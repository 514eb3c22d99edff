using System.Text.Json.Serialization;
using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Gateway.Hosting;
using Herd.Gateway.Conversations;
using Herd.Gateway.OpenAi;
using Herd.Gateway.Requests;
using Herd.Grains.Routing;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.Llama;

/// <summary>
/// llama-server's calls that are not OpenAI's. A request without a model uses the only served one.
/// </summary>
internal static class LlamaEndpoints
{
    private const int MaxTokens = 1_000_000;

    public static void MapLlama(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/tokenize", async (HttpContext context, NodeRegistry registry, ModelTokens tokens) =>
        {
            var request = await context.Request.Read(LlamaJson.Default.TokenizeRequest, "a request");
            var content = request.Content ?? throw Bad("'content' is missing. Send the text to tokenize.", "content");
            return TypedResults.Json(
                new TokenList(await tokens.Tokenize(Model(request.Model, registry).Id, content)),
                LlamaJson.Default.TokenList);
        }).Describes<TokenizeRequest, TokenList>("llama-server");
        routes.MapPost("/detokenize", async (HttpContext context, NodeRegistry registry, ModelTokens tokens) =>
        {
            var request = await context.Request.Read(LlamaJson.Default.DetokenizeRequest, "a request");
            var list = request.Tokens is { Count: <= MaxTokens } given
                ? given
                : throw Bad($"'tokens' must be a list of at most {MaxTokens} tokens.", "tokens");
            return TypedResults.Json(
                new TextContent(await tokens.Detokenize(Model(request.Model, registry).Id, list)),
                LlamaJson.Default.TextContent);
        }).Describes<DetokenizeRequest, TextContent>("llama-server");
        routes.MapPost("/apply-template", async (HttpContext context, NodeRegistry registry, ModelTokens tokens) =>
        {
            var request = await ChatRequestReader.Read(context.Request);
            var model = Model(request.Model, registry);
            var turn = ChatRequestReader.ToTurn(request with { Model = model.Id }, model.Markup);
            var prompt = await tokens.Prompt(model.Id, turn.Input, turn.Settings);
            return TypedResults.Json(
                new Prompt(await tokens.Show(model.Id, prompt), prompt.Count), LlamaJson.Default.Prompt);
        }).Describes<ChatRequest, Prompt>("llama-server");
        routes.MapGet("/props", (NodeRegistry registry) =>
        {
            var model = Model(null, registry);
            var slots = registry.Nodes
                .SelectMany(node => node.Models)
                .Where(served => served.Id == model.Id)
                .Sum(served => served.Slots);
            return TypedResults.Json(
                new Props(model.Id, slots, new Defaults(model.ContextTokens, model.Defaults)), LlamaJson.Default.Props);
        }).Describes<Props>("llama-server");
    }

    private static ServedModel Model(string? wanted, NodeRegistry registry) =>
        (wanted is null ? registry.Models : [.. registry.Models.Where(model => model.Id == wanted)]) switch
        {
            [var only] => only,
            [] => throw RoutingErrors.NotServed(wanted ?? "any", registry.Models),
            _ => throw RoutingErrors.SeveralServed(registry.Models),
        };
}

internal sealed record TokenizeRequest(string? Content, string? Model = null);

internal sealed record TokenList(IReadOnlyList<int> Tokens);

internal sealed record DetokenizeRequest(IReadOnlyList<int>? Tokens, string? Model = null);

internal sealed record TextContent(string Content);

/// <param name="Text">The prompt. Control tokens appear by name.</param>
/// <param name="Tokens">The number of its tokens.</param>
internal sealed record Prompt([property: JsonPropertyName("prompt")] string Text, int Tokens);

/// <param name="ModelAlias">The model.</param>
/// <param name="TotalSlots">The slots of all nodes that serve the model.</param>
/// <param name="DefaultGenerationSettings">The settings of a request that sets none.</param>
internal sealed record Props(string ModelAlias, int TotalSlots, Defaults DefaultGenerationSettings);

internal sealed record Defaults(int NCtx, [property: JsonPropertyName("params")] GenerationSettings Parameters);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(TokenizeRequest))]
[JsonSerializable(typeof(TokenList))]
[JsonSerializable(typeof(DetokenizeRequest))]
[JsonSerializable(typeof(TextContent))]
[JsonSerializable(typeof(Prompt))]
[JsonSerializable(typeof(Props))]
internal sealed partial class LlamaJson : JsonSerializerContext;
