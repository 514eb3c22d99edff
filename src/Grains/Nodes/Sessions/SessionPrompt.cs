using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Inference.Chat;

namespace Herd.Grains.Nodes.Sessions;

/// <summary>
/// Renders the prompt of a history. The oldest turns are left out if the settings ask for that and it is too long.
/// </summary>
internal static class SessionPrompt
{
    /// <exception cref="HerdException">The model's template refuses the messages.</exception>
    public static int[] Render(
        IReadOnlyList<HistoryMessage> messages, GenerationSettings settings, LoadedModel model) => Guard(() =>
    {
        if (settings.IsRaw)
        {
            return model.Template.Begin(string.Concat(messages.Select(message => message.Text)));
        }

        var tools = settings.ToDefinitions();
        int[] RenderAll(IEnumerable<HistoryMessage> shown) => model.Template.Render([.. shown.Select(ToChat)], tools);
        if (settings.Overflow != ContextOverflow.Shift)
        {
            return RenderAll(messages);
        }

        // What the template adds to the messages alone may tell that they do not fit: then they are not rendered twice.
        var limit = Limit(settings, model.Engine.ContextTokens);
        return (long)messages.Count * model.Template.TokensPerMessage <= limit
            && RenderAll(messages) is var prompt && prompt.Length <= limit
            ? prompt
            : ShiftedPrompt.Render(messages, limit, model.CountTokens, RenderAll);
    });

    /// <summary>Turns a refusal of the template into an error for the caller.</summary>
    /// <param name="render">Renders or tokenises.</param>
    /// <param name="field">The field that the error names.</param>
    public static int[] Guard(Func<int[]> render, string field = "messages")
    {
        try
        {
            return render();
        }
        catch (TemplateException e)
        {
            throw new HerdException(HerdError.InvalidArgument, e.Message, field);
        }
        catch (TextTooLongException e)
        {
            throw new HerdException(HerdError.ContextOverflow, e.Message, field)
                .With("prompt_tokens", e.Tokens)
                .With("context_tokens", e.MaxTokens);
        }
    }

    /// <summary>
    /// Tokens that the prompt may have. The rest is for the answer: its maximum, at most a quarter of the context.
    /// </summary>
    private static int Limit(GenerationSettings settings, int context) =>
        context - Math.Clamp(settings.MaxTokens ?? int.MaxValue, 1, context / 4);

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
