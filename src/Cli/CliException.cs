namespace Herd.Cli;

/// <summary>What the command exits with.</summary>
internal static class ExitCodes
{
    public const int Failed = 1;
    public const int BadInput = 2;
    public const int Interrupted = 130;
}

/// <summary>Ends the command with one clear line.</summary>
internal sealed class CliException(string message, int exitCode = ExitCodes.Failed) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}
