using System.CommandLine;
using Herd.V1;

namespace Herd.Cli.Commands;

/// <summary>herd models: lists the models that are served.</summary>
internal static class ModelsCommand
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "As JSON." };
        var command = new Command("models", "Lists the models that are served.") { json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var gateway = new Gateway();
            var reply = await gateway.Conversations.ListModelsAsync(
                new ListModelsRequest(), cancellationToken: cancellation);
            Output.Write(
                reply.Models,
                parsed.GetValue(json),
                ("ID", model => model.ModelId),
                ("CONTEXT", model => $"{model.ContextTokens}"),
                ("DESCRIPTION", model => model.Description));
            return 0;
        });
        return command;
    }
}
