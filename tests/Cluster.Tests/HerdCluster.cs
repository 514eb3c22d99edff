using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Grpc.Core;
using Grpc.Net.Client;
using Herd.Testing;
using Herd.V1;
using Tool = Herd.Testing.Tool;

namespace Herd.Cluster.Tests;

/// <summary>A cluster of real processes, run by the real command with a home of its own.</summary>
public class HerdCluster : IAsyncDisposable
{
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("herd-home-");
    private readonly Dictionary<string, string> _environment = [];
    private GrpcChannel? _channel;
    private GrpcChannel? _otherChannel;

    public int HttpPort { get; } = Ports.FreeWithSecond();

    public int GrpcPort { get; } = Ports.FreeWithSecond();

    public string Http => $"http://127.0.0.1:{HttpPort}";

    public string Home => _home.FullName;

    public ConversationService.ConversationServiceClient Conversations => new(Channel);

    /// <summary>The service of the second gateway, for clusters with two.</summary>
    public ConversationService.ConversationServiceClient OtherConversations =>
        new(_otherChannel ??= GrpcChannel.ForAddress($"http://127.0.0.1:{GrpcPort + 2}"));

    public GrpcChannel Channel => _channel ??= GrpcChannel.ForAddress($"http://127.0.0.1:{GrpcPort}");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Sets an environment variable of the command and of the processes that it starts.</summary>
    public void SetEnvironment(string name, string value) => _environment[name] = value;

    public string NewPath(string name) => Path.Combine(Home, name);

    /// <summary>Runs herd up --detach. The command ends when the cluster is ready.</summary>
    public async Task Up(params string[] options)
    {
        var result = await RunUp(options);
        Assert.True(
            result.ExitCode == 0,
            $"herd up ended with {result.ExitCode}: {result.Error}{(result.ExitCode == 0 ? "" : Logs())}");
    }

    /// <summary>The last lines of the logs of all processes.</summary>
    private string Logs() => string.Concat(Directory.GetFiles(Path.Combine(Home, "logs")).Select(
        log => $"\n{Path.GetFileName(log)}:\n{string.Join('\n', File.ReadLines(log).TakeLast(8))}"));

    public Task<CommandResult> RunUp(params string[] options) => Run(UpArguments(options));

    /// <summary>Starts herd up --detach and leaves it running.</summary>
    public Process StartUp(params string[] options) => Start(UpArguments(options));

    /// <summary>Runs the herd command.</summary>
    public async Task<CommandResult> Run(params string[] arguments)
    {
        using var process = Start(arguments);
        var output = process.StandardOutput.ReadToEndAsync(Cancellation);
        var error = process.StandardError.ReadToEndAsync(Cancellation);
        process.StandardInput.Close();
        await process.WaitForExitAsync(Cancellation);
        return new CommandResult(process.ExitCode, await output, await error);
    }

    /// <summary>Starts the herd command on a terminal.</summary>
    internal Terminal StartOnTerminal(params string[] arguments)
    {
        var line = $"exec {Command} {string.Join(' ', arguments)}";
        return new Terminal(Start(
            "script", ["--quiet", "--flush", "--return", "--command", line, "/dev/null"]));
    }

    /// <summary>Starts the herd command and leaves it running.</summary>
    public Process Start(params string[] arguments) => Start(Command, arguments);

    private static string Command =>
        Path.Combine(Repository.Root, "artifacts", "bin", "Cli", Repository.Configuration, "herd");

    private Process Start(string program, string[] arguments)
    {
        // A script's background jobs ignore Ctrl-C, and so would the processes that the tests start.
        var info = new ProcessStartInfo("env", ["--default-signal=INT", program, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["HERD_HOME"] = Home },
        };
        foreach (var (name, value) in _environment)
        {
            info.Environment[name] = value;
        }

        return Process.Start(info)!;
    }

    /// <summary>The address of the embedded store, with its password.</summary>
    public string Store => State("node-1").GetProperty("arguments").EnumerateArray()
        .Select(argument => argument.GetString()!.Split('='))
        .Single(argument => argument[0] == "--Cluster:Store")[1]
        + $",password={File.ReadAllText(NewPath("store.password")).Trim()}";

    /// <summary>The port in an argument of a process.</summary>
    public int Port(string name, string argument) => int.Parse(
        State(name).GetProperty("arguments").EnumerateArray()
            .Select(text => text.GetString()!.Split('='))
            .Single(pair => pair[0] == argument)[1],
        CultureInfo.InvariantCulture);

    /// <summary>The operating system's id of a process.</summary>
    public int Pid(string name) => State(name).GetProperty("pid").GetInt32();

    /// <summary>
    /// Asks a gateway to drain a node. Unlike the command, whose start takes longer than an answer, the call acts at
    /// once.
    /// </summary>
    public async Task Drain(string node, string gateway = "gateway-1")
    {
        using var channel = AdminChannel(gateway);
        await new ClusterService.ClusterServiceClient(channel).DrainNodeAsync(
            new DrainNodeRequest { Node = node }, AdminHeaders, cancellationToken: Cancellation);
    }

    /// <summary>kill -9, and waits until it is gone.</summary>
    public async Task Kill(string name)
    {
        using var process = Process.GetProcessById(Pid(name));
        process.Kill();
        await process.WaitForExitAsync(Cancellation);
    }

    /// <summary>Stops a process with SIGSTOP.</summary>
    public Task Freeze(string name) =>
        Tool.Run(Home, "kill", "-STOP", Pid(name).ToString(CultureInfo.InvariantCulture));

    /// <summary>Lets a stopped process run again.</summary>
    public Task Continue(string name) =>
        Tool.Run(Home, "kill", "-CONT", Pid(name).ToString(CultureInfo.InvariantCulture));

    /// <summary>Waits until a process that was asked to end has ended.</summary>
    public async Task WaitForEnd(string name)
    {
        try
        {
            using var process = Process.GetProcessById(Pid(name));
            await process.WaitForExitAsync(Cancellation);
        }
        catch (ArgumentException)
        {
            // The process has ended already.
        }
    }

    /// <summary>Waits until the given number of nodes is ready.</summary>
    public async Task WaitForNodes(int count)
    {
        using var channel = AdminChannel("gateway-1");
        var clients = new ClusterService.ClusterServiceClient(channel);
        await Poll.Until(
            async () => await clients.ListNodesAsync(
                new ListNodesRequest(), AdminHeaders, cancellationToken: Cancellation),
            listed => listed.Nodes.Count(node => node.State == NodeState.Ready) == count);
    }

    /// <summary>The placements of a conversation, oldest first.</summary>
    public async Task<IReadOnlyList<Placement>> Placements(string conversation) =>
        (await Conversations.ExplainPlacementAsync(
            new ExplainPlacementRequest { ConversationId = conversation }, cancellationToken: Cancellation)).Placements;

    public async Task<Conversation> New(string? system = null)
    {
        var request = new CreateConversationRequest();
        if (system is not null)
        {
            request.System = system;
        }

        return (await Conversations.CreateConversationAsync(request, cancellationToken: Cancellation)).Conversation;
    }

    public async Task<Conversation> Read(string conversation) =>
        (await Conversations.GetConversationAsync(
            new GetConversationRequest { ConversationId = conversation },
            cancellationToken: Cancellation)).Conversation;

    /// <summary>
    /// Takes a turn, at temperature 0 by default. Checks that the streamed answer equals the stored one.
    /// </summary>
    public async Task<Turn> Say(
        string conversation,
        string text,
        float temperature = 0,
        int maxTokens = 48,
        string? turnId = null,
        ulong? seed = null,
        bool ignoreEnd = false,
        Func<string, int, Task>? onDelta = null)
    {
        var request = new ConverseRequest
        {
            ConversationId = conversation,
            Text = text,
            MaxTokens = maxTokens,
            Sampling = new Sampling { Temperature = temperature, IgnoreEos = ignoreEnd },
        };
        if (turnId is not null)
        {
            request.TurnId = turnId;
        }

        if (seed is { } given)
        {
            request.Sampling.Seed = given;
        }

        var answer = "";
        var tokens = 0;
        using var call = Conversations.Converse(request, cancellationToken: Cancellation);
        await foreach (var update in call.ResponseStream.ReadAllAsync(Cancellation))
        {
            if (update.Completed is { } completed)
            {
                Assert.Equal(completed.Turn.Answer, answer);
                Assert.Equal(completed.Turn.Usage.CompletionTokens, tokens);
                return completed.Turn;
            }

            answer += update.Delta?.Text;
            tokens += update.Delta?.Tokens ?? 0;
            if (update.Delta is not null && onDelta is not null)
            {
                await onDelta(answer, tokens);
            }
        }

        throw new InvalidOperationException("The stream ended without the turn.");
    }

    /// <summary>The operators' port of a gateway.</summary>
    private GrpcChannel AdminChannel(string gateway) =>
        GrpcChannel.ForAddress($"http://127.0.0.1:{Port(gateway, "--Gateway:AdminPort")}");

    /// <summary>The key that the command uses at that port.</summary>
    private Metadata AdminHeaders => new()
    {
        {
            "authorization",
            "Bearer " + (_environment.GetValueOrDefault("HERD_ADMIN_KEY")
                ?? File.ReadAllText(Path.Combine(Home, "operator.key")).Trim())
        },
    };

    private string[] UpArguments(string[] options) =>
    [
        "up", "--detach", "--threads", "1",
        .. options.Contains("--context") ? [] : new[] { "--context", "2048" },
        "--http", HttpPort.ToString(
            CultureInfo.InvariantCulture), "--grpc", GrpcPort.ToString(CultureInfo.InvariantCulture),
        .. options,
    ];

    /// <summary>Removes run.json, whatever it is.</summary>
    internal void RemoveState()
    {
        File.Delete(NewPath("run.json.new"));
        var path = NewPath("run.json");
        if (Directory.Exists(path))
        {
            Directory.Delete(path);
        }

        File.Delete(path);
    }

    /// <summary>The entry of a process in run.json.</summary>
    private JsonElement State(string name)
    {
        using var state = JsonDocument.Parse(File.ReadAllText(Path.Combine(Home, "run.json")));
        return state.RootElement.GetProperty("processes").EnumerateArray()
            .Single(process => process.GetProperty("name").GetString() == name)
            .Clone();
    }

    public async ValueTask DisposeAsync()
    {
        _channel?.Dispose();
        _otherChannel?.Dispose();
        using var process = Start("down");
        await process.WaitForExitAsync();
        var unhandled = GatewayLogs.Unhandled(Path.Combine(Home, "logs"));
        _home.Delete(recursive: true);
        GC.SuppressFinalize(this);
        Assert.True(unhandled is [], $"A gateway did not handle an exception:\n{string.Join('\n', unhandled)}");
    }
}

/// <summary>The result of a command.</summary>
public sealed record CommandResult(int ExitCode, string Output, string Error);
