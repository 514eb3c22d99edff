using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Inference.Chat;

namespace Herd.Grains.Nodes;

/// <summary>The tokens that a history amounts to, the oldest turns left out if asked for and needed.</summary>
internal static class SessionPrompt
{
    /// <exception cref="HerdException">The model's template refuses the messages.</exception>
    public static int[] Render(IReadOnlyList<HistoryMessage> messages, GenerationSettings settings, LoadedModel model) => Guard(() =>
    {
        if (settings.IsRaw)
        {
            return model.Template.Begin(string.Concat(messages.Select(message => message.Text)));
        }

        var tools = settings.ToDefinitions();
        var prompt = model.Template.Render([.. messages.Select(ToChat)], tools);
        var limit = Limit(settings, model.Engine.ContextTokens);
        return settings.Overflow == ContextOverflow.Shift && prompt.Length > limit
            ? RenderShifted(messages, tools, model, limit)
            : prompt;
    });

    /// <summary>Turns what templates refuse into what callers are told.</summary>
    public static int[] Guard(Func<int[]> render)
    {
        try
        {
            return render();
        }
        catch (TemplateException e)
        {
            throw new HerdException(HerdError.InvalidArgument, e.Message, "messages");
        }
    }

    private static int[] RenderShifted(
        IReadOnlyList<HistoryMessage> messages, IReadOnlyList<ToolDefinition> tools, LoadedModel model, int limit)
    {
        var system = messages.TakeWhile(message => message.Role == Role.System).ToList();
        var turns = Turns(messages.Skip(system.Count));
        var lengths = turns.ConvertAll(turn => turn.Sum(model.CountTokens));
        var first = ContextWindow.FirstTurn(lengths, limit - system.Sum(model.CountTokens));
        while (true)
        {
            // Counts of single messages leave out what the template puts around them.
            var prompt = model.Template.Render([.. system.Concat(turns.Skip(first).SelectMany(turn => turn)).Select(ToChat)], tools);
            if (prompt.Length <= limit || first == turns.Count - 1)
            {
                return prompt;
            }

            first++;
        }
    }

    /// <summary>Room is left for the answer: what was asked for, or a quarter of the context.</summary>
    private static int Limit(GenerationSettings settings, int context) =>
        context - Math.Clamp(settings.MaxTokens ?? int.MaxValue, 1, context / 4);

    /// <summary>Each begins with what a user says after an answer; what functions came to belongs to the answer that called them.</summary>
    private static List<List<HistoryMessage>> Turns(IEnumerable<HistoryMessage> messages)
    {
        var turns = new List<List<HistoryMessage>>();
        foreach (var message in messages)
        {
            if (turns.Count == 0 || (message.Role is not (Role.Assistant or Role.Tool) && turns[^1][^1].Role == Role.Assistant))
            {
                turns.Add([]);
            }

            turns[^1].Add(message);
        }

        return turns;
    }

    private static ChatMessage ToChat(HistoryMessage message) => new(
        message.Role switch
        {
            Role.System => ChatRole.System,
            Role.User => ChatRole.User,
            Role.Tool => ChatRole.Tool,
            _ => ChatRole.Assistant,
        },
        message.Text,
        message.Tokens);
}
