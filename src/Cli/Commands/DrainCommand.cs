using System.CommandLine;
using System.Globalization;
using Herd.V1;

namespace Herd.Cli.Commands;

/// <summary>herd drain: drains a node; its process then ends.</summary>
internal static class DrainCommand
{
    public static Command Create()
    {
        var node = new Argument<string>("node") { Description = "The node." };
        var preview = new Option<bool>("--preview") { Description = "Only prints what would move." };
        var command = new Command(
            "drain", "Drains a node: its answers and sessions move to other nodes, then its process ends.")
        {
            node, preview,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var gateway = new Gateway();
            var name = parsed.GetValue(node)!;
            var reply = await gateway.Cluster.DrainNodeAsync(
                new DrainNodeRequest { Node = name, Preview = parsed.GetValue(preview) },
                cancellationToken: cancellation);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{(parsed.GetValue(preview) ? "would move" : "moves")} {reply.Streams} running answers "
                + $"and {reply.Sessions} sessions: {reply.Bytes / 1e6:0.0} MB, "
                + $"about {reply.Duration.ToTimeSpan().TotalSeconds:0.0} s"));
            return 0;
        });
        return command;
    }
}
