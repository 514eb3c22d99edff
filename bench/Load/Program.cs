using System.CommandLine;
using System.Text.Json.Nodes;
using Herd.Inference.Generation;
using Herd.Inference.Kv;
using Herd.Load;
using Herd.Load.Scenes;
using Herd.Load.Targets;

var model = new Option<string>("--model")
{
    DefaultValueFactory = _ => "models/smollm2-135m-instruct.gguf", Description = "The model's file.",
};
var peer = new Option<string?>("--peer")
{
    Description = "The path of a llama-server to compare with; llama-batched-bench must be in the same folder.",
};
var rounds = new Option<int>("--rounds")
{
    DefaultValueFactory = _ => 3, Description = "Runs of each side, alternating.",
};
var threads = new Option<int>("--threads") { DefaultValueFactory = _ => 2, Description = "CPU threads of each side." };
var stretch = new Option<double>("--stretch")
{
    DefaultValueFactory = _ => new EngineOptions().MaxStepSlowdown,
    Description = "The factor by which prompts may stretch a step.",
};
var answers = new Option<int>("--answers")
{
    DefaultValueFactory = _ => 400, Description = "Tokens of each stream around the long prompt.",
};
var slots = new Option<int>("--slots") { DefaultValueFactory = _ => 16, Description = "Herd's slots." };
var json = new Option<bool>("--json") { Description = "Prints the figures as one JSON object in the last line." };

Setup SetupOf(ParseResult parsed, int slots, int cells) =>
    new(parsed.GetValue(model)!, slots, cells, parsed.GetValue(threads));

Command Scene<T>(
    string name,
    string description,
    Func<ParseResult, int, IAsyncEnumerable<T>> run,
    Func<IReadOnlyList<T>, JsonNode> print)
{
    var command = new Command(name, description);
    command.SetAction(async parsed =>
    {
        var results = new List<T>();
        for (var round = 0; round < parsed.GetValue(rounds); round++)
        {
            await foreach (var result in run(parsed, round))
            {
                results.Add(result);
            }
        }

        Finish(parsed, name, print(results));
    });
    return command;
}

void Finish(ParseResult parsed, string scene, JsonNode figures)
{
    if (parsed.GetValue(json))
    {
        Console.WriteLine(new JsonObject { [scene] = figures }.ToJsonString());
    }
}

async IAsyncEnumerable<DecodeScene.Result> Decode(ParseResult parsed, int round)
{
    foreach (var streams in DecodeScene.Streams)
    {
        var setup = SetupOf(parsed, streams, 32 * 512);
        await using var herd = new EngineTarget(setup, new EngineOptions { Speculate = false });
        await using var gateway = await HerdGateway.Start(setup);
        await DecodeScene.Warm(herd, gateway, streams);

        // The machine's speed changes by the minute, so both sides run within seconds of each other.
        for (var turn = 0; turn < DecodeScene.Turns; turn++)
        {
            var seed = (round * DecodeScene.Turns) + turn;
            if (parsed.GetValue(peer) is { } program)
            {
                yield return await DecodeScene.RunPeer(program, setup, streams);
            }

            yield return await DecodeScene.Run(herd, streams, seed);
            yield return await DecodeScene.Run(gateway, streams, seed);
        }
    }
}

async IAsyncEnumerable<ConversationScene.Result> Conversations(ParseResult parsed, int round)
{
    var setup = SetupOf(parsed, parsed.GetValue(slots), 16_384);
    await using (var herd = new EngineTarget(setup, new EngineOptions()))
    {
        yield return await ConversationScene.Run(herd, 32, 4, round);
    }

    foreach (var count in ConversationScene.PeerSlots)
    {
        if (parsed.GetValue(peer) is { } program)
        {
            await using var server = await LlamaServer.Start(program, setup with { Slots = count });
            yield return await ConversationScene.Run(server, 32, 4, round);
        }
    }
}

async IAsyncEnumerable<IntrusionScene.Result> Intrusion(ParseResult parsed, int round)
{
    var setup = SetupOf(parsed, IntrusionScene.Slots, IntrusionScene.Cells);
    var options = new EngineOptions { Speculate = false, MaxStepSlowdown = parsed.GetValue(stretch) };
    await using (var herd = new EngineTarget(setup, options))
    {
        yield return await IntrusionScene.Run(herd, parsed.GetValue(answers), round);
    }

    if (parsed.GetValue(peer) is { } program)
    {
        await using var server = await LlamaServer.Start(program, setup);
        yield return await IntrusionScene.Run(server, parsed.GetValue(answers), round);
    }
}

async IAsyncEnumerable<GrammarScene.Result> Grammars(ParseResult parsed, int round)
{
    await Task.CompletedTask;
    using var loaded = EngineTarget.Load(parsed.GetValue(model)!);
    foreach (var result in GrammarScene.Run(loaded.Vocabulary, round))
    {
        yield return result;
    }
}

async IAsyncEnumerable<NeighbourScene.Result> Neighbours(ParseResult parsed, int round)
{
    var setup = SetupOf(parsed, NeighbourScene.Slots, NeighbourScene.Slots * 1024);
    await using var herd = new EngineTarget(setup, new EngineOptions { Speculate = false });
    await foreach (var result in NeighbourScene.Run(herd, round))
    {
        yield return result;
    }
}

async IAsyncEnumerable<ReturnScene.Result> Return(ParseResult parsed, int round)
{
    var setup = SetupOf(parsed, ReturnScene.Slots, ReturnScene.Cells);
    var folder = Directory.CreateTempSubdirectory("herd-bench-");
    var disk = new KvDiskOptions(folder.FullName, 8L << 30, new byte[32], new byte[32]);
    foreach (var (name, kv) in new[]
    {
        ("host memory for 40, the rest on disk", new KvOptions { HostBytes = ReturnScene.HostBytes, Disk = disk }),
        ("host memory for 40 only", new KvOptions { HostBytes = ReturnScene.HostBytes }),
        ("replayed", new KvOptions { HostBytes = 0 }),
    })
    {
        await using var herd = new EngineTarget(setup, new EngineOptions { Kv = kv }) { Name = name };
        yield return await ReturnScene.Run(herd, round);
    }

    folder.Delete(recursive: true);
}

async IAsyncEnumerable<ConversationScene.Result> Cluster(ParseResult parsed, int round)
{
    var each = new Setup(parsed.GetValue(model)!, 8, 16_384, 1);
    await using (var herd = await HerdGateway.Start(each, nodes: 2))
    {
        yield return await ConversationScene.RunWarm(herd, 24, 4, round);
    }

    if (parsed.GetValue(peer) is { } program)
    {
        await using var servers = await HashedServers.Start(program, each);
        yield return await ConversationScene.RunWarm(servers, 24, 4, round);
    }
}

var hours = new Option<double>("--hours") { DefaultValueFactory = _ => 8, Description = "Simulated hours." };
var speed = new Option<double>("--speed")
{
    DefaultValueFactory = _ => 10, Description = "The factor by which simulated time is faster than real time.",
};
var soak = new Command("soak", "Measures the memory of the engine over hours of simulated load.") { hours, speed };
soak.SetAction(async parsed => Finish(parsed, "soak", SoakScene.Print(await SoakScene.Run(
    TimeSpan.FromHours(parsed.GetValue(hours)), parsed.GetValue(speed), samples: 16))));

var wait = new Option<double>("--max-wait")
{
    DefaultValueFactory = _ => 0.15, Description = "Gateway:MaxPredictedWait, seconds.",
};
var waiting = new Option<int>("--max-waiting") { DefaultValueFactory = _ => 2, Description = "Gateway:MaxWaiting." };
var overload = new Command(
    "overload", "Measures refusals and first tokens at three times the capacity of simulated nodes.")
{
    wait, waiting,
};
overload.SetAction(async parsed => Finish(parsed, "overload", OverloadScene.Print(await OverloadScene.Run(
    parsed.GetValue(wait), parsed.GetValue(waiting), parsed.GetValue(stretch)))));
var maxStreams = new Option<int>("--most")
{
    DefaultValueFactory = _ => int.MaxValue, Description = "The maximum of streams.",
};
var gateway = new Command("gateway", "Measures the cost of a gateway by the number of streams, on simulated nodes.")
{
    maxStreams,
};
gateway.SetAction(async parsed => Finish(
    parsed, "gateway", GatewayScene.Print(await GatewayScene.Run(parsed.GetValue(maxStreams)))));

var root = new RootCommand("Runs the same load on Herd's engine and on a peer, alternating, and compares.")
{
    Scene("decode", "1, 8 and 32 streams that only decode.", Decode, DecodeScene.Print),
    Scene("conversations", "32 conversations of 4 turns over 16,384 KV cells.", Conversations, ConversationScene.Print),
    Scene("intrusion", "A 4,000-token prompt comes among 8 streams.", Intrusion, IntrusionScene.Print),
    Scene("grammars", "The work of a step under hostile schemas.", Grammars, GrammarScene.Print),
    Scene("neighbours", "Streams beside one under a hostile schema.", Neighbours, NeighbourScene.Print),
    Scene("return", "200 conversations come back over 8 slots.", Return, ReturnScene.Print),
    Scene(
        "cluster",
        "24 conversations of 4 turns over two nodes of one thread each; the peer is nginx before two llama-servers.",
        Cluster,
        ConversationScene.Print),
    soak,
    overload,
    gateway,
};
foreach (var option in new Option[] { model, peer, rounds, threads, slots, stretch, answers, json })
{
    option.Recursive = true;
    root.Options.Add(option);
}

return await root.Parse(args).InvokeAsync();
