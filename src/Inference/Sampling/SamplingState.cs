namespace Herd.Inference.Sampling;

/// <summary>What sampling carries from token to token, apart from the tokens themselves.</summary>
internal sealed class SamplingState(SamplingOptions options, float? mirostatMu)
{
    public SamplingOptions Options => options;

    /// <summary>Mirostat's bound on mirostatMu, in bits.</summary>
    public float MirostatMu { get; set; } = mirostatMu ?? 2 * (options.Mirostat?.Tau ?? 0);

    /// <summary>Where the answer stands in its grammar; null without one.</summary>
    public Grammars.GrammarState? Grammar { get; } = options.Grammar?.Begin();
}
