namespace Herd.Inference.Models.Probing;

/// <summary>The command that starts a <see cref="ProbeChild"/>, without the path of the file.</summary>
/// <param name="Program">The program.</param>
/// <param name="Arguments">The arguments before the path.</param>
public sealed record ProbeCommand(string Program, IReadOnlyList<string> Arguments)
{
    /// <summary>This program once more, as it was started: by its own executable or by dotnet.</summary>
    /// <param name="arguments">The arguments before the path.</param>
    public static ProbeCommand Self(params string[] arguments)
    {
        var program = Environment.ProcessPath!;
        return Path.GetFileNameWithoutExtension(program) == "dotnet"
            ? new ProbeCommand(program, [Environment.GetCommandLineArgs()[0], .. arguments])
            : new ProbeCommand(program, arguments);
    }
}
