using Herd.Inference.Runtime;

namespace Herd.Inference.Models.Probing;

/// <summary>
/// The child process of a probe. It opens one file by native code, within limits, and ends with 0 if that worked. A
/// refusal is a line on standard output. Everything else (a signal, another exit code) is the death of native code.
/// </summary>
public static class ProbeChild
{
    internal const int Refused = 10;

    /// <returns>The exit code: 0, or <see cref="Refused"/>.</returns>
    public static int Run(string path, Func<ILlamaRuntime> create)
    {
        try
        {
            var runtime = create();
            ProcessLimits.Apply();
            runtime.Probe(path);
            return 0;
        }
        catch (Exception e) when (e is ModelLoadException or DecodeException)
        {
            Console.Out.WriteLine(e is ModelLoadException ? e.Message : $"{path} cannot be computed: {e.Message}");
            return Refused;
        }
    }
}
