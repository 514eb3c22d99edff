using System.CommandLine;
using System.Globalization;
using Herd.Cli.Chaos;
using Herd.Cli.Processes;

namespace Herd.Cli.Commands;

/// <summary>
/// herd chaos: injects faults into the cluster of this machine while users chat, and checks that no token is lost.
/// </summary>
internal static class ChaosCommand
{
    public static Command Create()
    {
        var minutes = NumberOption.Create("--minutes", "The length of the run, in minutes.", 1.0, 0.001, 10_000);
        var seed = new Option<int>("--seed")
        {
            DefaultValueFactory = _ => 1, Description = "The seed of the faults and of the messages.", HelpName = "N",
        };
        var conversations = NumberOption.Create("--conversations", "Concurrent users.", 24, 1, 100_000);
        var tokens = NumberOption.Create("--answer-tokens", "The maximum of tokens of an answer.", 64, 1, 1 << 20);
        var aborts = NumberOption.Create(
            "--aborts", "The share of the answers that users leave in the middle, in percent.", 10, 0, 100);
        var scene = new Option<ChaosScene>("--scene")
        {
            DefaultValueFactory = _ => ChaosScene.All,
            Description = "The faults: all, kill (nodes), freeze (nodes), rolling (every node and gateway is "
                + "restarted), scale (a node is added, and removed), outage (the store is stopped), calm (none).",
            HelpName = "NAME",
        };
        var slots = NumberOption.Create("--slots", "The slots of each node that the command starts.", 8, 1, 256);
        var plan = new Option<bool>("--plan") { Description = "Only prints the planned faults." };
        var json = new Option<bool>("--json")
        {
            Description = "Prints one JSON object as the last line: the figures, or the planned faults.",
        };
        var command = new Command(
            "chaos",
            "Kills, freezes, drains and restarts the processes of the cluster that 'herd up' runs here while users "
            + "chat, and checks that no token was lost, repeated or billed wrongly. Starts three nodes (two for the "
            + "scene scale) and two gateways if none runs, and stops them at the end.")
        {
            minutes, seed, scene, conversations, tokens, aborts, slots, plan, json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var length = TimeSpan.FromMinutes(parsed.GetValue(minutes));
            var nodes = parsed.GetValue(scene) == ChaosScene.Scale ? "2" : "3";
            var owns = RunState.TryRead() is not { } running || !running.Processes.Any(Machine.IsAlive);
            var slotsEach = parsed.GetValue(slots).ToString(CultureInfo.InvariantCulture);
            string[] up = ["--detach", "--nodes", nodes, "--gateways", "2", "--slots", slotsEach];
            if (owns && await CommandLine.Invoke(UpCommand.Create(), up, cancellation) != 0)
            {
                return ExitCodes.Failed;
            }

            var cluster = new LocalCluster(RunState.TryRead()!);
            string result;
            var exitCode = 0;
            try
            {
                var faults = FaultPlan.Create(
                    parsed.GetValue(scene),
                    parsed.GetValue(seed),
                    length,
                    Names(cluster, "Silo"),
                    Names(cluster, "Gateway"),
                    Names(cluster, "Store") is [var store] ? store : null);
                if (faults.Count == 0 && parsed.GetValue(scene) != ChaosScene.Calm)
                {
                    throw new CliException(
                        "no fault of this scene fits into the time or applies to this store; give more --minutes.",
                        ExitCodes.BadInput);
                }

                if (parsed.GetValue(plan))
                {
                    foreach (var fault in faults)
                    {
                        Console.WriteLine(
                            string.Create(CultureInfo.InvariantCulture, $"{fault.At.TotalSeconds,7:0.0} s  {fault}"));
                    }

                    result = FaultPlan.ToJson(faults);
                }
                else
                {
                    var talk = new ChaosTalk(
                        parsed.GetValue(conversations),
                        parsed.GetValue(seed),
                        parsed.GetValue(tokens),
                        parsed.GetValue(aborts));
                    if (parsed.GetValue(scene) == ChaosScene.Outage)
                    {
                        // No conversation can be created without a store.
                        talk = talk with { TurnsPerConversation = int.MaxValue };
                    }

                    var report = await new ChaosRun(cluster, faults, Console.Out).Run(length, talk, cancellation);
                    foreach (var line in report.Lines())
                    {
                        Console.WriteLine(line);
                    }

                    result = report.Figures().ToJson();
                    exitCode = report.Violations.Count == 0 ? 0 : ExitCodes.Failed;
                }
            }
            finally
            {
                if (owns)
                {
                    await CommandLine.Invoke(DownCommand.Create(), [], CancellationToken.None);
                }
            }

            if (parsed.GetValue(json))
            {
                // After the end of the cluster, which prints too.
                Console.WriteLine(result);
            }

            return exitCode;
        });
        return command;
    }

    private static IReadOnlyList<string> Names(LocalCluster cluster, string program) =>
        [.. cluster.State.Processes.Where(process => process.Program == program).Select(process => process.Name)];
}
