using System.CommandLine;
using Google.Protobuf.Collections;
using Herd.V1;

namespace Herd.Cli.Commands;

/// <summary>herd conversations: lists all conversations, newest first.</summary>
internal static class ConversationsCommand
{
    private const int PageSize = 500;

    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "As JSON." };
        var command = new Command("conversations", "Lists the conversations, newest first.") { json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var gateway = new Gateway();
            var all = new RepeatedField<Conversation>();
            var request = new ListConversationsRequest { PageSize = PageSize };
            do
            {
                var page = await gateway.Conversations.ListConversationsAsync(request, cancellationToken: cancellation);
                all.AddRange(page.Conversations);
                request.PageToken = page.NextPageToken;
            }
            while (request.PageToken.Length > 0);

            Output.Write(
                all,
                parsed.GetValue(json),
                ("ID", conversation => conversation.ConversationId),
                ("CREATED", conversation => $"{conversation.CreateTime.ToDateTimeOffset():u}"),
                ("MODEL", conversation => conversation.Model),
                ("HOME", conversation => conversation.Home),
                ("EPOCH", conversation => $"{conversation.Epoch}"));
            return 0;
        });
        return command;
    }
}
