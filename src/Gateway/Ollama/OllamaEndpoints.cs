using System.Globalization;
using System.Text.Json;
using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Gateway.Hosting;
using Herd.Gateway.Conversations;
using Herd.Gateway.Errors;
using Herd.Gateway.OpenAi;
using Herd.Gateway.Requests;
using Herd.Gateway.Tenants;
using Herd.Grains.Routing;

namespace Herd.Gateway.Ollama;

/// <summary>
/// Ollama's API: chats, generations, embeddings and the list of models. It cannot pull or change models.
/// </summary>
internal static class OllamaEndpoints
{
    /// <summary>The oldest version of Ollama that has all of these calls. Clients check it.</summary>
    private const string Version = "0.6.0";

    public static bool IsOwn(PathString path) => path.StartsWithSegments("/api", StringComparison.Ordinal);

    public static void MapOllama(this IEndpointRouteBuilder routes)
    {
        foreach (var (path, isChat) in new[] { ("/api/chat", true), ("/api/generate", false) })
        {
            routes.MapPost(path, (
                HttpContext context,
                StatelessReplies replies,
                NodeRegistry registry,
                TimeProvider time,
                ILogger<ErrorResponses> logger) => Answer(context, isChat, replies, registry, time, logger))
                .Describes<OllamaRequest, OllamaReply>("Ollama");
        }

        routes.MapPost("/api/embed", async (HttpContext context, EmbeddingClient embeddings) =>
        {
            var request = await context.Request.Read(OllamaJson.Default.OllamaEmbedRequest, "a request");
            var (vectors, used) = await embeddings.Embed(
                context.Tenant(),
                OllamaRequestReader.NameOf(request.Model),
                EmbeddingsEndpoint.Texts(("input", request.Input)));
            return TypedResults.Json(
                new OllamaEmbeddings(request.Model!, vectors, used), OllamaJson.Default.OllamaEmbeddings);
        }).Describes<OllamaEmbedRequest, OllamaEmbeddings>("Ollama");
        routes.MapGet("/api/version", () => TypedResults.Json(
            new OllamaVersion(Version), OllamaJson.Default.OllamaVersion)).Describes<OllamaVersion>("Ollama");
        routes.MapGet("/api/tags", (NodeRegistry registry, TimeProvider time) => TypedResults.Json(
            new OllamaModels([.. registry.Models.Select(model => Entry(model, time))]),
            OllamaJson.Default.OllamaModels)).Describes<OllamaModels>("Ollama");
        routes.MapGet("/api/ps", (NodeRegistry registry, TimeProvider time) => TypedResults.Json(
            new OllamaModels([.. registry.Models.Select(model => Entry(model, time) with
            {
                ExpiresAt = Stamp(DateTimeOffset.MaxValue), SizeVram = 0,
            })]),
            OllamaJson.Default.OllamaModels)).Describes<OllamaModels>("Ollama");
        routes.MapPost("/api/show", async (HttpContext context, NodeRegistry registry) =>
        {
            var request = await context.Request.Read(OllamaJson.Default.OllamaShowRequest, "a request");
            var name = OllamaRequestReader.NameOf(request.Model ?? request.Name);
            var model = registry.Models.FirstOrDefault(served => served.Id == name)
                ?? throw RoutingErrors.NotServed(name, registry.Models);
            return TypedResults.Json(Show(model), OllamaJson.Default.OllamaShow);
        }).Describes<OllamaShowRequest, OllamaShow>("Ollama");
    }

    private static async Task Answer(
        HttpContext context,
        bool isChat,
        StatelessReplies replies,
        NodeRegistry registry,
        TimeProvider time,
        ILogger logger)
    {
        var request = await OllamaRequestReader.Read(context.Request);
        var markup = registry.MarkupOf(OllamaRequestReader.NameOf(request.Model));
        var turn = OllamaRequestReader.ToTurn(request, isChat, markup);
        await using var reply = await replies.Begin(context, request.Rest, turn, markup);
        var shape = new OllamaShape(request.Model!, isChat, time);
        if (request.Stream == false)
        {
            var parts = await reply.Whole(context.RequestAborted);
            await context.Response.WriteAsJsonAsync(
                shape.Whole(parts, reply.Turn),
                OllamaJson.Default.OllamaReply,
                cancellationToken: context.RequestAborted);
            return;
        }

        context.Response.ContentType = "application/x-ndjson";
        context.Response.Headers["X-Accel-Buffering"] = "no";
        try
        {
            await foreach (var part in reply.Parts(context.RequestAborted))
            {
                await Line(JsonSerializer.Serialize(shape.Part(part), OllamaJson.Default.OllamaReply));
            }

            await Line(JsonSerializer.Serialize(shape.Last(reply.Turn), OllamaJson.Default.OllamaReply));
        }
        catch (Exception e) when (!context.RequestAborted.IsCancellationRequested)
        {
            var error = ErrorResponses.Explain(e, context.Request.Path, logger);
            await Line(JsonSerializer.Serialize(new OllamaError(error.Message), OllamaJson.Default.OllamaError));
        }

        Task Line(string json) =>
            context.Response.WriteAsync(json + "\n", context.RequestAborted).WithReadTimeout(context);
    }

    private static OllamaModel Entry(ServedModel model, TimeProvider time) =>
        new(model.Id, model.Id, Stamp(time.GetUtcNow()), Size: 0, Digest: "", Details(model));

    private static OllamaDetails Details(ServedModel model) => new("gguf", model.Description, "", "");

    private static OllamaShow Show(ServedModel model) => new(
        Modelfile: "",
        Parameters: string.Join('\n', Parameters(model.Defaults)),
        Template: "",
        Details(model),
        new Dictionary<string, JsonElement>
        {
            ["general.architecture"] = JsonSerializer.SerializeToElement(
                model.Description, OpenAiJson.Default.String),
            ["llama.context_length"] = JsonSerializer.SerializeToElement(
                model.ContextTokens, OllamaJson.Default.Int32),
        },
        model.Markup.HasFlag(AnswerMarkup.Thinks) ? ["completion", "tools", "thinking"] : ["completion", "tools"]);

    private static IEnumerable<string> Parameters(GenerationSettings defaults) =>
        new (string Name, float? Value)[]
        {
            ("temperature", defaults.Temperature),
            ("top_k", defaults.TopK),
            ("top_p", defaults.TopP),
            ("min_p", defaults.MinP),
        }
        .Where(parameter => parameter.Value is not null)
        .Select(parameter => FormattableString.Invariant($"{parameter.Name} {parameter.Value}"));

    internal static string Stamp(DateTimeOffset time) => time.UtcDateTime.ToString("o", CultureInfo.InvariantCulture);
}
