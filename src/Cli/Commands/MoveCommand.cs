using System.CommandLine;
using Herd.V1;

namespace Herd.Cli.Commands;

/// <summary>herd move: moves a conversation's KV cache to another node.</summary>
internal static class MoveCommand
{
    public static Command Create()
    {
        var conversation = new Argument<string>("conversation") { Description = "The conversation." };
        var node = new Option<string?>("--node")
        {
            Description = "The node to move to. Default: the router chooses.", HelpName = "NAME",
        };
        var command = new Command("move", "Moves a conversation's KV cache to another node.")
        {
            conversation, node,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var gateway = new Gateway();
            var request = new MoveConversationRequest { ConversationId = parsed.GetValue(conversation)! };
            if (parsed.GetValue(node) is { } target)
            {
                request.Node = target;
            }

            var reply = await gateway.Conversations.MoveConversationAsync(request, cancellationToken: cancellation);
            Console.WriteLine(reply.Placement is { } placement
                ? $"{placement.Home} -> {placement.Node}: {placement.Move.Tokens} tokens, "
                    + $"{placement.Move.Bytes >> 10} KiB"
                : "It stays: no other node takes it, or a replay there is not slower.");
            return 0;
        });
        return command;
    }
}
