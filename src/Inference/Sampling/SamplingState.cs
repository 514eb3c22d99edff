namespace Herd.Inference.Sampling;

/// <summary>The sampling state of an answer, apart from its tokens.</summary>
internal sealed class SamplingState(SamplingOptions options, float? mirostatMu)
{
    public SamplingOptions Options => options;

    /// <summary>Mirostat's mu: the maximum surprise of the next token, in bits.</summary>
    public float MirostatMu { get; set; } = mirostatMu ?? 2 * (options.Mirostat?.Tau ?? 0);

    /// <summary>The state of the answer's grammar; null without a grammar.</summary>
    public Grammars.GrammarState? Grammar { get; } = options.Grammar?.Begin();
}
