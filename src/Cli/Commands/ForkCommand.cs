using System.CommandLine;
using Herd.V1;

namespace Herd.Cli.Commands;

/// <summary>herd fork: a new conversation with what was said in another.</summary>
internal static class ForkCommand
{
    public static Command Create()
    {
        var conversation = new Argument<string>("conversation") { Description = "The conversation to begin with." };
        var turn = new Option<string?>("--turn") { Description = "The last turn to take over. Default: the last that is answered.", HelpName = "ID" };
        var command = new Command("fork", "Starts a conversation with what was said in another, and prints its id.") { conversation, turn };
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
