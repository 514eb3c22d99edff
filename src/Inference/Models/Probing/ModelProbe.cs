using Herd.Inference.Runtime;

namespace Herd.Inference.Models.Probing;

/// <summary>
/// Has a child process open a model's file before this process does. Native code ends its process for some damaged
/// files (docs/decisions/model-probe.md). A file that passed once is not probed again.
/// </summary>
/// <param name="runtime">The runtime that will load the file.</param>
/// <param name="passed">The files that passed before.</param>
/// <param name="command">Starts the child; null in a program that has no such mode: nothing is probed.</param>
public sealed class ModelProbe(ILlamaRuntime runtime, PassedModels passed, ProbeCommand? command)
{
    /// <summary>Ends normally if this process may open the file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="digest">Its SHA-256.</param>
    /// <param name="cancellation">Ends the probe.</param>
    /// <exception cref="ModelLoadException">Native code refused the file, or the child died of it.</exception>
    public async Task Require(string path, byte[] digest, CancellationToken cancellation)
    {
        if (!runtime.IsNative || command is null || passed.Contains(digest, runtime.Description))
        {
            return;
        }

        await ProbeProcess.Run(command, path, cancellation);
        passed.Add(digest, runtime.Description);
    }

    /// <summary>Remembers a file that this process has loaded.</summary>
    public void SetPassed(byte[] digest)
    {
        if (runtime.IsNative)
        {
            passed.Add(digest, runtime.Description);
        }
    }
}
