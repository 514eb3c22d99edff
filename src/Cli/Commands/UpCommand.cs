using System.CommandLine;
using Herd.Cli.Processes;
using Herd.Inference.Models;
using Spectre.Console;

namespace Herd.Cli.Commands;

/// <summary>herd up: starts a cluster on this machine.</summary>
internal static class UpCommand
{
    private static readonly TimeSpan WatchPeriod = TimeSpan.FromSeconds(1);

    public static Command Create()
    {
        var nodes = NumberOption.Create("--nodes", "Nodes to start.", 2, 1, 64);
        var gateways = NumberOption.Create("--gateways", "Gateways to start.", 1, 1, 16);
        var model = new Option<string?>("--model")
        {
            Description = "A model of models/catalog.json, or the path of a GGUF file. Default: the catalog's first.",
            HelpName = "ID|PATH",
        };
        var runtime = new Option<string>("--runtime")
        {
            DefaultValueFactory = _ => "",
            Description = "The runtime: llama.cpp or llamasharp, by the build, or simulated. "
                + "Default: that of the build.",
            HelpName = "NAME",
        };
        var threads = NumberOption.Create(
            "--threads", "CPU threads of each node. 0 divides the machine's cores among the nodes.", 0, 0, 1024);
        var slots = NumberOption.Create(
            "--slots", "The slots of each node: conversations that it computes at the same time.", 8, 1, 256);
        var context = NumberOption.Create(
            "--context", "The context of a conversation, in tokens. 0: that of the model's training.", 0, 0, 1 << 24);
        var http = NumberOption.Create(
            "--http",
            "The port of the OpenAI API on 127.0.0.1. Further gateways take every second port after it.",
            8080,
            1,
            65500);
        var grpc = NumberOption.Create(
            "--grpc",
            "The port of gRPC on 127.0.0.1. Further gateways take every second port after it.",
            8081,
            1,
            65500);
        var store = new Option<string?>("--store")
        {
            Description = "A Redis, Valkey or Garnet instead of the embedded store, such as redis://127.0.0.1:6379.",
            HelpName = "ADDRESS",
        };
        var storePassword = new Option<string?>("--store-password-file")
        {
            Description = "The file of the password at that store. The embedded store makes one of its own.",
            HelpName = "FILE",
        };
        var data = new Option<string?>("--data")
        {
            Description = "The folder of the embedded store and of KV caches on disk. "
                + "Default: .herd/data in the repository.",
            HelpName = "DIR",
        };
        var detach = new Option<bool>("--detach")
        {
            Description = "Returns when the cluster is ready, and leaves it running.",
        };
        var command = new Command(
            "up", "Starts a cluster on this machine, or the missing processes of the one that runs.")
        {
            nodes, gateways, model, runtime, threads, slots, context, http, grpc, store, storePassword, data,
            detach,
        };

        command.Validators.Add(parsed =>
        {
            if (parsed.GetValue(storePassword) is not null && parsed.GetValue(store) is null)
            {
                parsed.AddError("--store-password-file is the password at the store of --store. Give --store too.");
            }
        });
        command.SetAction((parsed, cancellation) => Run(
            () => new ClusterPlan
            {
                Nodes = parsed.GetValue(nodes),
                Gateways = parsed.GetValue(gateways),
                Model = FindModel(parsed.GetValue(model)),
                Runtime = parsed.GetValue(runtime)!,
                Threads = parsed.GetValue(threads) is > 0 and var given
                    ? given
                    : Math.Max(1, Environment.ProcessorCount / parsed.GetValue(nodes)),
                Slots = parsed.GetValue(slots),
                Context = parsed.GetValue(context),
                HttpPort = parsed.GetValue(http),
                GrpcPort = parsed.GetValue(grpc),
                Store = parsed.GetValue(store),
                StorePasswordFile = parsed.GetValue(storePassword) is { } file ? Path.GetFullPath(file) : null,
                Data = Path.GetFullPath(parsed.GetValue(data) ?? Path.Combine(HerdHome.Path, "data")),
            },
            parsed.GetValue(detach),
            cancellation));
        return command;
    }

    private static async Task<int> Run(Func<ClusterPlan> plan, bool detach, CancellationToken cancellation)
    {
        LocalCluster cluster;
        using (HomeLock.Take())
        {
            cluster = new LocalCluster(Prepare(plan()));
            try
            {
                await cluster.StartMissing(cancellation);
                await AnsiConsole.Status().StartAsync("Starting", status =>
                    cluster.WaitUntilReady(problem => status.Status(Markup.Escape(problem)), cancellation));
            }
            catch
            {
                await StopStarted(cluster);
                throw;
            }
        }

        Show(cluster);
        if (detach || cluster.Started.Count == 0)
        {
            return 0;
        }

        try
        {
            await Watch(cluster, cancellation);
            return 0;
        }
        catch
        {
            using var home = await HomeLock.WaitForIt();
            await StopStarted(cluster);
            throw;
        }
    }

    private static RunState Prepare(ClusterPlan plan)
    {
        if (RunState.TryRead() is { } running && running.Processes.Any(Machine.IsAlive))
        {
            running = running.WithOperatorKey();
            return running.Plan == plan ? running
                : plan.Nodes > running.Plan.Nodes
                    && running.Plan == plan with { Nodes = running.Plan.Nodes, Threads = running.Plan.Threads }
                ? running.Grow(plan.Nodes, plan.Threads)
                : throw new CliException(
                    $"a cluster with other settings runs here ({running.Plan.Nodes} nodes, "
                    + $"{running.Plan.Gateways} gateways, model {running.Plan.Model}, "
                    + $"gRPC on {running.Plan.GrpcPort}). Give the same settings to start its missing processes, "
                    + "or more nodes to add some, or run 'herd down' first.",
                    ExitCodes.BadInput);
        }

        if (plan.GatewayPorts.GroupBy(port => port).FirstOrDefault(ports => ports.Count() > 1) is { } twice)
        {
            throw new CliException(
                $"port {twice.Key} would be used twice; choose other ports with --http and --grpc.",
                ExitCodes.BadInput);
        }

        if (plan.GatewayPorts.FirstOrDefault(port => !Machine.IsFree(port)) is > 0 and var taken)
        {
            throw new CliException(
                $"port {taken} is taken; choose another with --http or --grpc.", ExitCodes.BadInput);
        }

        return new RunState
        {
            Version = RunState.CurrentVersion,
            Plan = plan,
            Processes = [.. plan.Processes().Select(RunningProcess.NotStarted)],
        };
    }

    private static string FindModel(string? wanted)
    {
        try
        {
            var catalog = ModelCatalog.Read(HerdHome.Catalog);
            var source = catalog.Find(wanted ?? catalog.Models[0].Id);
            return source.Sha256 is null ? source.Path : source.Id;
        }
        catch (InvalidDataException e)
        {
            throw new CliException(e.Message, ExitCodes.BadInput);
        }
    }

    private static void Show(LocalCluster cluster)
    {
        var state = cluster.State;
        foreach (var process in state.Processes)
        {
            Console.WriteLine($"{process.Name,-10} pid {process.Pid,-8} log {process.Log}");
        }

        Console.WriteLine(
            $"ready      http://127.0.0.1:{state.Plan.HttpPort}/v1   gRPC 127.0.0.1:{state.Plan.GrpcPort}   "
            + $"model {state.Plan.Model}   runtime {cluster.Runtime}");
    }

    private static async Task Watch(LocalCluster cluster, CancellationToken cancellation)
    {
        Console.WriteLine("Ctrl-C stops it.");
        while (true)
        {
            await Task.Delay(WatchPeriod, cancellation);
            if (RunState.TryRead() is not { } state || state.Processes.All(process => !Machine.IsAlive(process)))
            {
                throw new CliException("another command has stopped the cluster. 'herd up' starts it again.");
            }

            foreach (var dead in cluster.Started.Where(process => !Machine.IsAlive(process)).ToList())
            {
                cluster.Started.Remove(dead);
                Console.Error.WriteLine(
                    $"herd: {dead.Name} has ended: {LogTail.Reason(dead.Log)} (log: {dead.Log}). "
                    + "'herd up' in another terminal, with the same settings, starts it again.");
            }
        }
    }

    private static async Task StopStarted(LocalCluster cluster)
    {
        await LocalCluster.Stop(cluster.Started);
        if (!cluster.State.Processes.Any(Machine.IsAlive))
        {
            RunState.Delete();
        }
    }
}
