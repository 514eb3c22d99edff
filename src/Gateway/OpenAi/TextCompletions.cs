using System.Text.Json;
using System.Text.Json.Serialization;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Conversations;
using Herd.Gateway.Errors;
using Herd.Gateway.Generation;
using Herd.Gateway.Requests;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.OpenAi;

/// <summary>POST /v1/completions: the model continues a text, without its chat template.</summary>
internal static class TextCompletions
{
    public static async Task Handle(
        HttpContext context,
        StatelessReplies replies,
        TimeProvider time,
        ILogger<ErrorResponses> logger)
    {
        var request = await context.Request.Read(OpenAiJson.Default.TextRequest, "a completion request");
        var turn = ToTurn(request);
        await using var reply = await replies.Begin(context, request.Rest, turn, AnswerMarkup.None);
        TextCompletion Shape(string text, Turn? answered, bool hasUsage) => new(
            "cmpl-" + ConversationClient.WithoutPrefix(turn.TurnId),
            time.GetUtcNow().ToUnixTimeSeconds(),
            turn.Model!,
            [new TextChoice(0, text, null, FinishReason(answered))],
            hasUsage ? CompletionShape.UsageOf([answered!]) : null);
        if (request.Stream != true)
        {
            var parts = await reply.Whole(context.RequestAborted);
            await context.Response.WriteAsJsonAsync(
                Shape(string.Concat(parts.Select(part => part.Text)), reply.Turn, hasUsage: true),
                OpenAiJson.Default.TextCompletion,
                cancellationToken: context.RequestAborted);
            return;
        }

        var stream = new EventStream(context);
        try
        {
            await foreach (var part in reply.Parts(context.RequestAborted))
            {
                await stream.Write(Shape(part.Text ?? "", answered: null, hasUsage: false));
            }

            await stream.Write(Shape("", reply.Turn, request.StreamOptions?.IncludeUsage == true));
            await stream.Done();
        }
        catch (Exception e) when (!context.RequestAborted.IsCancellationRequested)
        {
            await stream.WriteError(ErrorResponses.Explain(e, context.Request.Path, logger));
        }
    }

    /// <exception cref="HerdException">A field is out of range or not supported.</exception>
    internal static TurnRequest ToTurn(TextRequest request)
    {
        UnsupportedFields.Refuse(request.Rest);
        foreach (var (name, isAsked) in new[]
        {
            ("n", request.N is not (null or 1)),
            ("best_of", request.BestOf is not (null or 1)),
            ("echo", request.Echo == true),
            ("suffix", !string.IsNullOrEmpty(request.Suffix)),
            ("logprobs", request.Logprobs is not (null or 0)),
        })
        {
            if (isAsked)
            {
                throw Bad($"'{name}' is not supported with this value. Leave it out.", name);
            }
        }

        var settings = SettingsBuilder.Build(new SettingsFields
        {
            Temperature = ("temperature", request.Temperature),
            TopP = ("top_p", request.TopP),
            Seed = JsonFields.Seed(request.Seed),
            MaxTokens = ("max_tokens", request.MaxTokens ?? DefaultTokens),
            Stops = new Field<JsonElement?>("stop", request.Stop).Texts(),
            FrequencyPenalty = ("frequency_penalty", request.FrequencyPenalty),
            PresencePenalty = ("presence_penalty", request.PresencePenalty),
            IgnoreEnd = request.IgnoreEos ?? false,
            IsRaw = true,
        });
        return new TurnRequest
        {
            TurnId = ConversationClient.NewTurnId(),
            Input = [new Message(Role.User, Prompt(("prompt", request.Prompt)))],
            Settings = settings,
            Model = RequireModel(request.Model),
            IsWholeHistory = true,
        };
    }

    private static string? FinishReason(Turn? turn) =>
        turn is null ? null : turn.Finish == Finish.Length ? "length" : "stop";

    /// <summary>OpenAI's default.</summary>
    private const int DefaultTokens = 16;

    private static string Prompt(Field<JsonElement?> prompt) => prompt.Kind() switch
    {
        JsonValueKind.String => prompt.Text()!,
        JsonValueKind.Array when prompt.Items().ToList() is [var only] && only.Kind() == JsonValueKind.String =>
            only.Text()!,
        _ => throw Bad("'prompt' must be one text. Several texts and tokens are not supported.", "prompt"),
    };
}

/// <summary>The body of POST /v1/completions.</summary>
internal sealed record TextRequest
{
    public string? Model { get; init; }

    /// <summary>A text.</summary>
    public JsonElement? Prompt { get; init; }

    public bool? Stream { get; init; }

    public StreamOptions? StreamOptions { get; init; }

    public int? N { get; init; }

    public int? BestOf { get; init; }

    public bool? Echo { get; init; }

    public string? Suffix { get; init; }

    public int? Logprobs { get; init; }

    public int? MaxTokens { get; init; }

    public float? Temperature { get; init; }

    public float? TopP { get; init; }

    public long? Seed { get; init; }

    public JsonElement? Stop { get; init; }

    public float? FrequencyPenalty { get; init; }

    public float? PresencePenalty { get; init; }

    public bool? IgnoreEos { get; init; }

    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Rest { get; set; }
}

internal sealed record TextCompletion(
    string Id,
    long Created,
    string Model,
    IReadOnlyList<TextChoice> Choices,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ChatUsage? Usage)
{
    public string Object { get; } = "text_completion";
}

internal sealed record TextChoice(int Index, string Text, ChatLogProbs? Logprobs, string? FinishReason);
