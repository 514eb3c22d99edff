using System.CommandLine;
using Grpc.Core;
using Herd.Cli.Commands;
using Herd.Inference.Files;

namespace Herd.Cli;

/// <summary>Runs commands. Whatever fails is one line on standard error and an exit code.</summary>
internal static class CommandLine
{
    public static async Task<int> Run(string[] args)
    {
        try
        {
            return await Invoke(Root(), args, Interrupt.Token);
        }
        catch (Exception e)
        {
            var (line, exitCode) = Explain(e, Interrupt.Token.IsCancellationRequested);
            if (line is not null)
            {
                await Console.Error.WriteLineAsync($"herd: {line.ReplaceLineEndings(" ")}");
            }

            return exitCode;
        }
    }

    /// <summary>Runs a command. Its errors are exceptions.</summary>
    public static Task<int> Invoke(Command command, IReadOnlyList<string> args, CancellationToken cancellation) =>
        command.Parse(args).InvokeAsync(
            new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,

                // Signals are Interrupt's.
                ProcessTerminationTimeout = null,
            },
            cancellation);

    /// <summary>What an exception means to the user.</summary>
    /// <param name="exception">The exception.</param>
    /// <param name="isInterrupted">True if the user ended the command.</param>
    /// <returns>The line to print, null if none, and the exit code.</returns>
    internal static (string? Line, int ExitCode) Explain(Exception exception, bool isInterrupted) => exception switch
    {
        CliException cli => (cli.Message, cli.ExitCode),
        OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled } when isInterrupted =>
            (null, ExitCodes.Interrupted),
        OperationCanceledException => ("it took too long, and was ended.", ExitCodes.Failed),
        RpcException rpc => (Gateway.Explain(rpc), ExitCodes.Failed),
        IOException or UnauthorizedAccessException => (exception.Message, ExitCodes.Failed),
        AggregateException { InnerExceptions: [var only] } => Explain(only, isInterrupted),
        _ => (
            $"a fault of Herd's: {exception.GetType().Name}: {exception.Message}{KeepTrace(exception)}",
            ExitCodes.Failed),
    };

    /// <summary>Keeps the stack trace of a fault where logs are, for whoever mends it.</summary>
    private static string KeepTrace(Exception exception)
    {
        try
        {
            var path = Path.Combine(HerdHome.Logs, "herd.log");
            PrivateFile.CreateFolder(HerdHome.Logs);
            File.AppendAllText(path, $"{exception}\n");
            return $" (its trace is in {path})";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static RootCommand Root() => new("Herd: conversations with language models over many nodes.")
    {
        UpCommand.Create(),
        DownCommand.Create(),
        ChatCommand.Create(),
        NodesCommand.Create(),
        ConversationsCommand.Create(),
        ForkCommand.Create(),
        WhyCommand.Create(),
        UsageCommand.Create(),
        MoveCommand.Create(),
        DrainCommand.Create(),
        LoadCommand.Create(),
        LoadCommand.CreateUnload(),
        DoctorCommand.Create(),
        StoreCommand.Create(),
        ChaosCommand.Create(),
        ModelsCommand.Create(),
    };
}
