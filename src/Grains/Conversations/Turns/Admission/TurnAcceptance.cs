using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;

namespace Herd.Grains.Conversations.Turns.Admission;

/// <summary>The turns that a conversation accepts, new ones and repeated ones.</summary>
internal static class TurnAcceptance
{
    /// <summary>The refusal of a new turn; null if it is accepted.</summary>
    public static HerdException? Refusal(Conversation conversation, TurnRequest request) => request switch
    {
        { After: { } after } when (conversation.Turns is [.., var last] ? last.Id : null) != after => new(
            HerdError.Superseded,
            $"The turn {after} is not the last of the conversation. Fork the conversation there to continue from it."),
        { Offset: var offset } when offset != AnswerOffset.Start => new(
            HerdError.InvalidArgument,
            $"There is no turn {request.TurnId} to resume. Send it without an offset, as a new turn.",
            "resume"),
        _ => null,
    };

    /// <summary>
    /// True if a later state of the conversation, known to another owner, could accept what is refused.
    /// </summary>
    public static bool DependsOnLatestState(HerdException refusal) =>
        refusal.Error == HerdError.Superseded || refusal.Parameter is "resume" or "turn_id";

    /// <summary>A known turn that is requested again, if it was answered or can be.</summary>
    /// <exception cref="HerdException">
    /// Its message differs, or it was left unanswered and the conversation continued.
    /// </exception>
    public static Turn Known(Conversation conversation, Turn known, TurnRequest request)
    {
        if (!request.IsWholeHistory && !known.Input.SequenceEqual(request.Input))
        {
            throw new HerdException(
                HerdError.InvalidArgument,
                $"The turn {known.Id} was sent before with another message. Give a new message a new turn id.",
                "turn_id");
        }

        return known.State == TurnState.Completed || known == conversation.Turns[^1]
            ? known
            : throw new HerdException(
                HerdError.InvalidArgument,
                $"The turn {known.Id} was left unanswered and later turns followed. Send a new turn.",
                "turn_id");
    }
}
