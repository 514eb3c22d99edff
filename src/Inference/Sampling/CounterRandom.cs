namespace Herd.Inference.Sampling;

/// <summary>
/// Random numbers as a function of (seed, index). There is no state to migrate when an answer continues on another
/// node. The mixing function is SplitMix64's (Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
/// 2014), applied twice.
/// </summary>
internal static class CounterRandom
{
    private const ulong GoldenGamma = 0x9E3779B97F4A7C15;

    /// <summary>A number uniformly distributed in [0, 1).</summary>
    /// <param name="seed">The seed of the answer.</param>
    /// <param name="index">The index of the token in the answer.</param>
    /// <param name="stream">The stream; another stream gives an independent number for the same index.</param>
    public static double Uniform(ulong seed, int index, int stream = 0)
    {
        var mixed = Mix(Mix(seed + GoldenGamma) ^ ((ulong)(uint)index * GoldenGamma + 1 + ((ulong)(uint)stream << 40)));
        return (mixed >> 11) * (1.0 / (1UL << 53));
    }

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
