namespace Herd.Inference.Models.Gguf.Checks;

/// <summary>
/// Defects at which llama.cpp v0.5.0 ends the process instead of refusing the file. Each check reads the header for one
/// kind of defect. What llama.cpp refuses by itself is left to it.
/// </summary>
internal static class GgufChecks
{
    /// <summary>All checks, in their order: later ones rely on the ranges of earlier ones.</summary>
    private static readonly Func<Hyperparameters, string?>[] All =
    [
        ArchitectureCheck.FindFault,
        RangeCheck.FindFault,
        HeadCheck.FindFault,
        ExpertCheck.FindFault,
        RopeCheck.FindFault,
        WindowCheck.FindFault,
        RecurrentCheck.FindFault,
        LatentAttentionCheck.FindFault,
        ArchitectureRules.FindFault,
        TensorCheck.FindFault,
        VocabularyCheck.FindFault,
        CharsmapCheck.FindFault,
    ];

    /// <returns>The first defect; null if there is none.</returns>
    public static string? FindFault(GgufFile file)
    {
        var hyperparameters = new Hyperparameters(file);
        return All.Select(check => check(hyperparameters)).FirstOrDefault(fault => fault is not null);
    }
}
