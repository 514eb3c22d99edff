using System.CommandLine;
using System.Globalization;
using Herd.V1;

namespace Herd.Cli.Commands;

/// <summary>herd nodes: lists the nodes as a gateway sees them.</summary>
internal static class NodesCommand
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "As JSON." };
        var command = new Command("nodes", "Lists the nodes.") { json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var gateway = new Gateway();
            var reply = await gateway.Cluster.ListNodesAsync(new ListNodesRequest(), cancellationToken: cancellation);
            Output.Write(
                reply.Nodes,
                parsed.GetValue(json),
                ("NAME", node => node.Name),
                ("PID", node => node.ProcessId.ToString(CultureInfo.InvariantCulture)),
                ("STATE", node => node.State.ToString().ToUpperInvariant()),
                ("RUNTIME", node => node.Runtime),
                ("MODELS", node => node.Models.Count > 0 ? string.Join(", ", node.Models) : "none"),
                ("LOAD", node => node.Load is null or { Stage: LoadStage.Served }
                    ? ""
                    : LoadCommand.Describe(node.Load, node.Loaded)),
                ("SLOTS", node => $"{node.Active}/{node.Slots}"),
                ("QUEUED", node => node.Queued.ToString(CultureInfo.InvariantCulture)),
                ("SESSIONS", node => node.Sessions.ToString(CultureInfo.InvariantCulture)),
                ("KV TOKENS", node => $"{node.KvTokens}/{node.KvCapacity}"));
            return 0;
        });
        return command;
    }
}
