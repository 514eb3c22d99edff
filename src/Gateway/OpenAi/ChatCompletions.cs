using System.Text;
using Herd.Contracts.Conversations;
using Herd.Gateway.Conversations;
using Herd.Gateway.Tenants;

namespace Herd.Gateway.OpenAi;

/// <summary>POST /v1/chat/completions.</summary>
internal static class ChatCompletions
{
    public const string SessionHeader = "X-Herd-Session";
    public const string NodeHeader = "X-Herd-Node";

    public static async Task Handle(
        HttpContext context, StatelessChat chat, SessionIdentity identity, TimeProvider time, ILogger<OpenAiErrors> logger)
    {
        var request = await ChatRequestReader.Read(context.Request);
        var turn = ChatRequestReader.ToTurn(request);
        var position = StreamPosition.Of(context.Request.Headers);
        turn = position is null ? turn : turn with { TurnId = position.Turn, Offset = position.Offset };
        var tenant = Authentication.Tenant(context);
        var lane = position?.Session ?? identity.Of(request, turn, context.Request.Headers);
        await using var choices = await Choices.Begin(
            choice => position is null
                ? chat.Begin(tenant, lane, turn.OfChoice(choice), context.RequestAborted)
                : chat.Resume(tenant, lane, turn, context.RequestAborted),
            position is null ? request.N ?? 1 : 1);
        context.Response.Headers[SessionHeader] = choices.Session;
        context.Response.Headers[NodeHeader] = choices.Node;
        var shape = new CompletionShape(
            "chatcmpl-" + turn.TurnId[(turn.TurnId.IndexOf('_', StringComparison.Ordinal) + 1)..],
            time.GetUtcNow().ToUnixTimeSeconds(),
            turn.Model!,
            turn.Settings.LogProbs is not null);
        await (request.Stream
            ? Stream(
                context,
                shape,
                choices,
                choices.Count == 1 ? new StreamPosition(choices.Session, turn.TurnId, turn.Offset) : null,
                request.StreamOptions?.IncludeUsage == true,
                logger)
            : Whole(context, shape, choices));
    }

    private static async Task Whole(HttpContext context, CompletionShape shape, Choices choices)
    {
        var texts = Enumerable.Range(0, choices.Count).Select(_ => new StringBuilder()).ToList();
        var chances = texts.Select(_ => new List<TokenChance>()).ToList();
        var last = new TurnEvent[choices.Count];
        await foreach (var (choice, update) in choices.Events(context.RequestAborted))
        {
            texts[choice].Append(update.Delta?.Text);
            chances[choice].AddRange(update.Delta?.Chances ?? []);
            last[choice] = update;
        }

        await context.Response.WriteAsJsonAsync(
            shape.Whole([.. texts.Select((text, i) => (text.ToString(), (IReadOnlyList<TokenChance>)chances[i], last[i]))]),
            OpenAiJson.Default.ChatCompletion,
            cancellationToken: context.RequestAborted);
    }

    /// <param name="context">The request.</param>
    /// <param name="shape">Makes the chunks.</param>
    /// <param name="choices">What is answered.</param>
    /// <param name="position">Where a single answer stands, for a client that comes back.</param>
    /// <param name="includeUsage">Whether a last chunk says what it took.</param>
    /// <param name="logger">Told of errors that are nobody's fault.</param>
    private static async Task Stream(
        HttpContext context, CompletionShape shape, Choices choices, StreamPosition? position, bool includeUsage, ILogger logger)
    {
        var stream = new EventStream(context);
        if (position is null || position.Offset == AnswerOffset.Start)
        {
            for (var choice = 0; choice < choices.Count; choice++)
            {
                await stream.Write(shape.First(choice), position);
            }
        }

        var turns = new List<Turn>();
        try
        {
            await foreach (var (choice, update) in choices.Events(context.RequestAborted))
            {
                if (update.Completed is { } turn)
                {
                    turns.Add(turn);
                    await stream.Write(shape.Last(choice, update));
                }
                else if (update.Delta is { } delta)
                {
                    position = position?.After(delta);
                    if (delta.Text.Length > 0 || delta.Chances is { Count: > 0 })
                    {
                        await stream.Write(shape.Chunk(choice, delta), position);
                    }
                }
            }
        }
        catch (Exception e) when (!context.RequestAborted.IsCancellationRequested)
        {
            // The status is sent already; the error object takes the place of a chunk, and the stream ends without [DONE].
            await stream.WriteError(OpenAiErrors.Explain(e, context.Request.Path, logger));
            return;
        }

        if (includeUsage)
        {
            await stream.Write(shape.Usage(turns));
        }

        await stream.Done();
    }

    /// <summary>The same turn for another choice: with an id and a seed of its own.</summary>
    private static TurnRequest OfChoice(this TurnRequest turn, int choice) => choice == 0 ? turn : turn with
    {
        TurnId = ConversationClient.NewTurnId(),
        Settings = turn.Settings with { Seed = turn.Settings.Seed + (ulong)choice },
    };
}
