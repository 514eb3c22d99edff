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

    /// <summary>The second gateway's, where there is one.</summary>
    public ConversationService.ConversationServiceClient OtherConversations =>
        new(_otherChannel ??= GrpcChannel.ForAddress($"http://127.0.0.1:{GrpcPort + 2}"));

    public GrpcChannel Channel => _channel ??= GrpcChannel.ForAddress($"http://127.0.0.1:{GrpcPort}");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>What the processes and the command are given beside their options.</summary>
    public void SetEnvironment(string name, string value) => _environment[name] = value;

    public string NewPath(string name) => Path.Combine(Home, name);

    /// <summary>herd up --detach, which ends when everything is well.</summary>
    public async Task Up(params string[] options)
    {
        var result = await RunUp(options);
        Assert.True(result.ExitCode == 0, $"herd up ended with {result.ExitCode}: {result.Error}{(result.ExitCode == 0 ? "" : Logs())}");
    }

    /// <summary>How the logs of all processes end.</summary>
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

    /// <summary>Starts the herd command and leaves it running.</summary>
    public Process Start(params string[] arguments)
    {
        // Where the tests run in the background of a script, Ctrl-C is ignored, and so it would be by what they start.
        var command = Path.Combine(Repository.Root, "artifacts", "bin", "Cli", Repository.Configuration, "herd");
        var info = new ProcessStartInfo("env", ["--default-signal=INT", command, .. arguments])
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

    /// <summary>Where the store listens.</summary>
    public string Store => State("node-1").GetProperty("arguments").EnumerateArray()
        .Select(argument => argument.GetString()!.Split('='))
        .Single(argument => argument[0] == "--Cluster:Store")[1];

    /// <summary>One of the ports that a process was given.</summary>
    public int Port(string name, string argument) => int.Parse(
        State(name).GetProperty("arguments").EnumerateArray()
            .Select(text => text.GetString()!.Split('='))
            .Single(pair => pair[0] == argument)[1],
        CultureInfo.InvariantCulture);

    /// <summary>The id of a process of the cluster.</summary>
    public int Pid(string name) => State(name).GetProperty("pid").GetInt32();

    /// <summary>Asks a gateway at its operators' port to drain a node: at once, where starting the command would take longer than an answer.</summary>
    public async Task Drain(string node, string gateway = "gateway-1")
    {
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{Port(gateway, "--Gateway:AdminPort")}");
        await new ClusterService.ClusterServiceClient(channel).DrainNodeAsync(new DrainNodeRequest { Node = node }, cancellationToken: Cancellation);
    }

    /// <summary>kill -9, and waits until it is gone.</summary>
    public async Task Kill(string name)
    {
        using var process = Process.GetProcessById(Pid(name));
        process.Kill();
        await process.WaitForExitAsync(Cancellation);
    }

    /// <summary>Stops a process where it is, or lets it go on.</summary>
    public Task Freeze(string name) => Tool.Run(Home, "kill", "-STOP", Pid(name).ToString(CultureInfo.InvariantCulture));

    /// <summary>Lets a process that was stopped go on.</summary>
    public Task Continue(string name) => Tool.Run(Home, "kill", "-CONT", Pid(name).ToString(CultureInfo.InvariantCulture));

    /// <summary>Waits until a process that was told to end has ended.</summary>
    public async Task WaitForEnd(string name)
    {
        try
        {
            using var process = Process.GetProcessById(Pid(name));
            await process.WaitForExitAsync(Cancellation);
        }
        catch (ArgumentException)
        {
            // It had ended already.
        }
    }

    /// <summary>Waits until so many nodes are ready.</summary>
    public async Task WaitForNodes(int count)
    {
        while ((await Run("nodes")).Output.Split("READY").Length - 1 != count)
        {
            await Task.Delay(100, Cancellation);
        }
    }

    /// <summary>Where a conversation was placed.</summary>
    public async Task<IReadOnlyList<Placement>> Placements(string conversation) =>
        (await Conversations.ExplainPlacementAsync(
            new ExplainPlacementRequest { ConversationId = conversation }, cancellationToken: Cancellation)).Placements;

    /// <summary>The KV caches that lie on disk, of all nodes.</summary>
    public HashSet<string> KvFiles() => [.. Directory.EnumerateFiles(Home, "*.kv", SearchOption.AllDirectories)];

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
            new GetConversationRequest { ConversationId = conversation }, cancellationToken: Cancellation)).Conversation;

    /// <summary>Takes a turn, greedily unless a temperature is given, and checks that the stream is what is stored.</summary>
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

    private string[] UpArguments(string[] options) =>
    [
        "up", "--detach", "--threads", "1", "--context", "2048",
        "--http", HttpPort.ToString(CultureInfo.InvariantCulture), "--grpc", GrpcPort.ToString(CultureInfo.InvariantCulture),
        .. options,
    ];

    /// <summary>A process as run.json has it.</summary>
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
        _home.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }
}

/// <summary>What a command said.</summary>
public sealed record CommandResult(int ExitCode, string Output, string Error);
