namespace Herd.Inference.Models.Gguf.Checks;

/// <summary>What llama.cpp's code for an architecture asserts beside what holds for all.</summary>
[Flags]
internal enum Traits
{
    None = 0,

    /// <summary>Keys and values of a head are of the same length.</summary>
    EqualHeads = 1,

    /// <summary>All dimensions of a head rotate.</summary>
    WholeHeadsRotate = 2,

    /// <summary>Layers may have no attention heads: recurrent ones, convolutions, or none at all.</summary>
    LayersWithoutHeads = 4,

    /// <summary>There are experts.</summary>
    Experts = 8,

    /// <summary>State-space layers are divided into heads and groups.</summary>
    HeadedStates = 16,
}
