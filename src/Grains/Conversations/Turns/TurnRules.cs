using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;

namespace Herd.Grains.Conversations.Turns;

/// <summary>Which turns a conversation takes.</summary>
internal static class TurnRules
{
    /// <summary>Why a new turn is not taken; null when it is.</summary>
    public static HerdException? Refusal(Conversation conversation, TurnRequest request) => request switch
    {
        { After: { } after } when (conversation.Turns is [.., var last] ? last.Id : null) != after => new(
            HerdError.Superseded,
            $"The turn {after} is not the last of the conversation. Fork the conversation there to go on from it."),
        { Offset: var offset } when offset != AnswerOffset.Start => new(
            HerdError.InvalidArgument,
            $"There is no turn {request.TurnId} to go on with. Take it anew, without an offset.",
            "resume"),
        _ => null,
    };

    /// <summary>Whether somebody who knows more of the conversation would not say so.</summary>
    public static bool DependsOnLatestState(HerdException refusal) => refusal.Error == HerdError.Superseded || refusal.Parameter is "resume" or "turn_id";

    /// <summary>A turn that is asked for again, and was answered or can be.</summary>
    /// <exception cref="HerdException">It says something else now, or was left unanswered.</exception>
    public static Turn Known(Conversation conversation, Turn known, TurnRequest request)
    {
        if (!request.IsWholeHistory && !known.Input.SequenceEqual(request.Input))
        {
            throw new HerdException(
                HerdError.InvalidArgument,
                $"The turn {known.Id} was taken with another message. Give a new message a new turn id.",
                "turn_id");
        }

        return known.State == TurnState.Completed || known == conversation.Turns[^1]
            ? known
            : throw new HerdException(
                HerdError.InvalidArgument,
                $"The turn {known.Id} was left unanswered and the conversation has gone on. Take a new turn.",
                "turn_id");
    }
}
