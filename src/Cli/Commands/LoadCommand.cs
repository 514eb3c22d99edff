using System.CommandLine;
using Herd.V1;

namespace Herd.Cli.Commands;

/// <summary>herd load and herd unload: change the model of a node.</summary>
internal static class LoadCommand
{
    public static Command Create()
    {
        var node = new Argument<string>("node") { Description = "The node." };
        var model = new Argument<string>("model")
        {
            Description = "A model of the node's catalog, or a GGUF file there.",
        };
        var command = new Command("load", "Drains a node, then loads another model there.") { node, model };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var gateway = new Gateway();
            await gateway.Cluster.LoadModelAsync(
                new LoadModelRequest { Node = parsed.GetValue(node), Model = parsed.GetValue(model) },
                cancellationToken: cancellation);
            return 0;
        });
        return command;
    }

    public static Command CreateUnload()
    {
        var node = new Argument<string>("node") { Description = "The node." };
        var command = new Command("unload", "Drains a node, then unloads its model.") { node };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var gateway = new Gateway();
            await gateway.Cluster.UnloadModelAsync(
                new UnloadModelRequest { Node = parsed.GetValue(node) }, cancellationToken: cancellation);
            return 0;
        });
        return command;
    }
}
