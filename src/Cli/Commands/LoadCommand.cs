using System.CommandLine;
using System.Globalization;
using Herd.V1;
using Spectre.Console;

namespace Herd.Cli.Commands;

/// <summary>herd load and herd unload: change the model of a node.</summary>
internal static class LoadCommand
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);

    public static Command Create()
    {
        var node = new Argument<string>("node") { Description = "The node." };
        var model = new Argument<string>("model")
        {
            Description = "A model of the node's catalog, or a GGUF file there that the node may load.",
        };
        var wait = WaitOption();
        var command = new Command(
            "load",
            "Checks a model's file on a node, drains the node, then loads the model there. A file that fails its check "
            + "changes nothing.")
        {
            node, model, wait,
        };
        command.SetAction((parsed, cancellation) => Run(
            parsed.GetValue(node)!,
            parsed.GetValue(wait),
            $"checks {parsed.GetValue(model)}",
            async gateway => (await gateway.Cluster.LoadModelAsync(
                new LoadModelRequest { Node = parsed.GetValue(node), Model = parsed.GetValue(model) },
                cancellationToken: cancellation)).Load,
            cancellation));
        return command;
    }

    public static Command CreateUnload()
    {
        var node = new Argument<string>("node") { Description = "The node." };
        var wait = WaitOption();
        var command = new Command("unload", "Drains a node, then unloads its model.") { node, wait };
        command.SetAction((parsed, cancellation) => Run(
            parsed.GetValue(node)!,
            parsed.GetValue(wait),
            "unloads",
            async gateway => (await gateway.Cluster.UnloadModelAsync(
                new UnloadModelRequest { Node = parsed.GetValue(node) }, cancellationToken: cancellation)).Load,
            cancellation));
        return command;
    }

    /// <summary>What a load does now, in a few words.</summary>
    public static string Describe(ModelLoad load, float loaded) => load.Stage switch
    {
        LoadStage.Checking => $"checks {load.Model}",
        LoadStage.Draining => "drains",
        LoadStage.Loading => string.Create(CultureInfo.InvariantCulture, $"loads {load.Model}, {loaded:P0}"),
        LoadStage.Failed => $"failed to load {load.Model}",
        _ => load.Model.Length > 0 ? $"serves {load.Model}" : "serves no model",
    };

    private static Option<bool> WaitOption() => new("--wait")
    {
        Description = "Returns when the node is done, and shows the progress. Exits with 1 if it fails.",
    };

    private static async Task<int> Run(
        string node, bool waits, string first, Func<Gateway, Task<ModelLoad?>> begin, CancellationToken cancellation)
    {
        using var gateway = new Gateway();
        var result = "";
        await AnsiConsole.Status().StartAsync(Markup.Escape($"{node} {first}"), async status =>
        {
            var load = await begin(gateway);
            result = load is null ? $"{node} began. 'herd nodes' shows when it serves."
                : waits ? await UntilOver(
                    gateway, node, load, text => status.Status(Markup.Escape(text)), cancellation)
                : $"{node} {Describe(load, 0)}. 'herd nodes' shows the progress; --wait waits for the end.";
        });
        Console.WriteLine(result);
        return 0;
    }

    /// <exception cref="CliException">The load failed, or the node was lost.</exception>
    private static async Task<string> UntilOver(
        Gateway gateway, string name, ModelLoad load, Action<string> report, CancellationToken cancellation)
    {
        var pid = 0;
        while (true)
        {
            var listed = await gateway.Cluster.ListNodesAsync(new ListNodesRequest(), cancellationToken: cancellation);
            var node = listed.Nodes.FirstOrDefault(one => one.Name == name);
            pid = pid == 0 ? node?.ProcessId ?? 0 : pid;
            if (node is null || node.State == NodeState.Lost || node.ProcessId != pid)
            {
                throw new CliException($"{name} was lost while it loaded '{load.Model}'. Read its log.");
            }

            if (node.Load.Number != load.Number)
            {
                throw new CliException($"{name} does something else by now: it {Describe(node.Load, node.Loaded)}.");
            }

            if (node.Load.Stage == LoadStage.Failed)
            {
                throw new CliException($"{name} serves no model: {node.Load.Failure}");
            }

            if (node.Load.Stage == LoadStage.Served)
            {
                return $"{name} {Describe(node.Load, node.Loaded)}.";
            }

            report($"{name} {Describe(node.Load, node.Loaded)}");
            await Task.Delay(Poll, cancellation);
        }
    }
}
