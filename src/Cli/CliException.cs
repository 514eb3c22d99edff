namespace Herd.Cli;

/// <summary>The exit codes of the command.</summary>
internal static class ExitCodes
{
    public const int Failed = 1;
    public const int BadInput = 2;
    public const int Interrupted = 130;
}

/// <summary>Ends the command with a one-line message and an exit code.</summary>
internal sealed class CliException(string message, int exitCode = ExitCodes.Failed) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}
