using System.Diagnostics;

namespace Herd.Testing;

/// <summary>Runs programs that tests need.</summary>
public static class Tool
{
    /// <returns>Its standard output.</returns>
    /// <exception cref="InvalidOperationException">It ended with an error. The message has its output.</exception>
    public static async Task<string> Run(string folder, string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException(
                $"{program} {arguments.FirstOrDefault()} ended with {process.ExitCode}: {output} {await error}");
    }
}
