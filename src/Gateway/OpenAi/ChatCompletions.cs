using System.Text;
using Herd.Contracts.Conversations;
using Herd.Gateway.Answers;
using Herd.Gateway.Conversations;
using Herd.Gateway.Errors;
using Herd.Gateway.Tenants;
using Herd.Grains.Routing;

namespace Herd.Gateway.OpenAi;

/// <summary>POST /v1/chat/completions.</summary>
internal static class ChatCompletions
{
    public static async Task Handle(
        HttpContext context,
        StatelessChat chat,
        SessionIdentity identity,
        NodeRegistry registry,
        TimeProvider time,
        ILogger<ErrorResponses> logger)
    {
        var request = await ChatRequestReader.Read(context.Request);
        var markup = registry.MarkupOf(request.Model);
        var turn = ChatRequestReader.ToTurn(request, markup);
        var position = StreamPosition.From(context.Request.Headers);
        turn = position is null ? turn : turn with { TurnId = position.Turn, Offset = position.Offset };
        var tenant = context.Tenant();
        var session = position?.Session ?? identity.From(request.Rest, turn, context.Request.Headers);
        await using var choices = await Choices.Begin(
            (choice, cancellation) => position is null
                ? chat.Begin(tenant, session, turn.ForChoice(choice), cancellation)
                : chat.Resume(tenant, session, turn, cancellation),
            position is null ? request.N ?? 1 : 1,
            context.RequestAborted);
        context.Response.Headers[StatelessReplies.SessionHeader] = choices.Session;
        context.Response.Headers[StatelessReplies.NodeHeader] = choices.Node;
        var shape = new CompletionShape(
            "chatcmpl-" + ConversationClient.WithoutPrefix(turn.TurnId),
            time.GetUtcNow().ToUnixTimeSeconds(),
            turn.Model!,
            turn.Settings.LogProbs is not null);
        var readers = Enumerable.Range(0, choices.Count)
            .Select(choice => choice == 0 ? turn.TurnId : $"{turn.TurnId}_{choice}")
            .Select(id => new AnswerReader(markup, turn.Settings, id))
            .ToList();

        // Parts of thoughts and calls are not in the answer's text, so a stream with them cannot be resumed.
        await (request.Stream == true
            ? Stream(
                context,
                shape,
                choices,
                readers,
                choices.Count == 1 && readers[0].IsPlain
                    ? new StreamPosition(choices.Session, turn.TurnId, turn.Offset)
                    : null,
                request.StreamOptions?.IncludeUsage == true,
                logger)
            : Whole(context, shape, choices, readers));
    }

    private static async Task Whole(
        HttpContext context, CompletionShape shape, Choices choices, List<AnswerReader> readers)
    {
        var texts = readers.ConvertAll(_ => new StringBuilder());
        var logProbs = readers.ConvertAll(_ => new List<TokenLogProbs>());
        var last = new TurnEvent[choices.Count];
        await foreach (var (choice, update) in choices.Events(context.RequestAborted))
        {
            texts[choice].Append(update.Delta?.Text);
            logProbs[choice].AddRange(update.Delta?.LogProbs ?? []);
            last[choice] = update;
        }

        await context.Response.WriteAsJsonAsync(
            shape.Whole(
            [
                .. readers.Select((reader, i) =>
                    (reader.All(texts[i].ToString()), (IReadOnlyList<TokenLogProbs>)logProbs[i], last[i])),
            ]),
            OpenAiJson.Default.ChatCompletion,
            cancellationToken: context.RequestAborted);
    }

    /// <param name="context">The request.</param>
    /// <param name="shape">Makes the chunks.</param>
    /// <param name="choices">The answers.</param>
    /// <param name="readers">The reader of each answer.</param>
    /// <param name="position">
    /// The position in the only answer, for a client that resumes; null if the stream cannot be resumed.
    /// </param>
    /// <param name="includeUsage">True if the last chunk has the usage.</param>
    /// <param name="logger">Logs internal errors.</param>
    private static async Task Stream(
        HttpContext context,
        CompletionShape shape,
        Choices choices,
        List<AnswerReader> readers,
        StreamPosition? position,
        bool includeUsage,
        ILogger logger)
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
        var calls = new int[choices.Count];
        try
        {
            await foreach (var (choice, update) in choices.Events(context.RequestAborted))
            {
                position = update.Delta is { } more ? position?.After(more) : position;
                var logProbs = update.Delta?.LogProbs ?? [];
                var parts = update.Delta is { } delta ? readers[choice].Append(delta.Text)
                    : update.Completed is null ? []
                    : readers[choice].End();
                var ifEmpty = logProbs.Count > 0 ? new AnswerPart(Text: "") : null;
                foreach (var part in parts.DefaultIfEmpty(ifEmpty).OfType<AnswerPart>())
                {
                    await stream.Write(
                        shape.Chunk(choice, part, part.Call is null ? 0 : calls[choice]++, logProbs), position);
                    logProbs = [];
                }

                if (update.Completed is { } turn)
                {
                    turns.Add(turn);
                    await stream.Write(shape.Last(choice, update, readers[choice].HasCalled));
                }
            }
        }
        catch (Exception e) when (!context.RequestAborted.IsCancellationRequested)
        {
            // The status was sent before. The error object is sent as a chunk, and the stream ends without [DONE].
            await stream.WriteError(ErrorResponses.Explain(e, context.Request.Path, logger));
            return;
        }

        if (includeUsage)
        {
            await stream.Write(shape.Usage(turns));
        }

        await stream.Done();
    }

    /// <summary>The turn of another choice. It has its own id and seed.</summary>
    private static TurnRequest ForChoice(this TurnRequest turn, int choice) => choice == 0 ? turn : turn with
    {
        TurnId = ConversationClient.NewTurnId(),
        Settings = turn.Settings with { Seed = turn.Settings.Seed + (ulong)choice },
    };
}
