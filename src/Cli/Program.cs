using System.CommandLine;
using Grpc.Core;
using Herd.Cli;
using Herd.Cli.Commands;

var root = new RootCommand("Herd: conversations with language models over many nodes.")
{
    UpCommand.Create(),
    DownCommand.Create(),
    ChatCommand.Create(),
    NodesCommand.Create(),
    ConversationsCommand.Create(),
    ForkCommand.Create(),
    WhyCommand.Create(),
    MoveCommand.Create(),
    DrainCommand.Create(),
    LoadCommand.Create(),
    LoadCommand.CreateUnload(),
    DoctorCommand.Create(),
    ChaosCommand.Create(),
    ModelsCommand.Create(),
};

try
{
    return await root.Parse(args).InvokeAsync(new InvocationConfiguration
    {
        EnableDefaultExceptionHandler = false,

        // Draining a cluster takes a while.
        ProcessTerminationTimeout = TimeSpan.FromMinutes(1),
    });
}
catch (CliException e)
{
    await Console.Error.WriteLineAsync($"herd: {e.Message}");
    return e.ExitCode;
}
catch (RpcException e) when (e.StatusCode != StatusCode.Cancelled)
{
    await Console.Error.WriteLineAsync($"herd: {Gateway.Explain(e)}");
    return ExitCodes.Failed;
}
catch (Exception e) when (e is OperationCanceledException or RpcException)
{
    return ExitCodes.Interrupted;
}
