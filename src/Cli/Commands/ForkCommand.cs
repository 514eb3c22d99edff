using System.CommandLine;
using Herd.V1;

namespace Herd.Cli.Commands;

/// <summary>herd fork: creates a conversation with the turns of another one.</summary>
internal static class ForkCommand
{
    public static Command Create()
    {
        var conversation = new Argument<string>("conversation") { Description = "The conversation to copy." };
        var turn = new Option<string?>("--turn")
        {
            Description = "The last turn to copy. Default: the last answered one.", HelpName = "ID",
        };
        var command = new Command("fork", "Creates a conversation with the turns of another one, and prints its id.")
        {
            conversation, turn,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var gateway = new Gateway();
            var request = new ForkConversationRequest { ConversationId = parsed.GetValue(conversation)! };
            if (parsed.GetValue(turn) is { } last)
            {
                request.LastTurnId = last;
            }

            var reply = await gateway.Conversations.ForkConversationAsync(request, cancellationToken: cancellation);
            Console.WriteLine(reply.Conversation.ConversationId);
            return 0;
        });
        return command;
    }
}
