namespace Herd.Inference.Models.Gguf.Checks;

/// <summary>
/// The architecture is one whose assertions were read: a file of another one is refused until they are.
/// </summary>
internal static class ArchitectureCheck
{
    public static string? FindFault(Hyperparameters model) => Architectures.Known.ContainsKey(model.Architecture)
        ? null
        : $"the architecture '{model.Architecture}' is none that llama.cpp v0.5.0 answers with";
}
