using Herd.Inference.Models;

namespace Herd.Inference.Runtime;

/// <summary>
/// Uses a model as a node does: tokens of a text, a prompt and a token of two sequences, a saved and loaded state, an
/// embedding. What ends a process that serves the model is to end the child of a probe.
/// </summary>
public static class ProbeRun
{
    /// <summary>The largest weights that a probe computes with. Larger ones would take it minutes.</summary>
    private const long MaxComputedBytes = 4L << 30;

    private const int PromptTokens = 3;

    /// <summary>The first characters of Unicode, and some of other planes.</summary>
    private static readonly string Text = string.Concat(Enumerable.Range(0, 0x250).Select(c => (char)c))
        + " Hello,  world \r\n\n\t0x1F \u2581\u0431\u0627\u8A9E\U0001F600\U0010FFFF";

    /// <summary>
    /// True if a probe may compute with weights of a size: llama.cpp copies them for some processors, and half of the
    /// free memory stays for the node.
    /// </summary>
    public static bool MayCompute(long weightBytes) =>
        weightBytes <= Math.Min(MaxComputedBytes, HostMemory.Free() / 2);

    /// <summary>Has the vocabulary tokenise characters of every kind.</summary>
    /// <returns>The tokens.</returns>
    public static IReadOnlyList<int> Tokenize(IVocabulary vocabulary) =>
        [.. vocabulary.Tokenize(Text, parseSpecial: true), .. vocabulary.Tokenize(Text, parseSpecial: false)];

    /// <summary>Computes.</summary>
    /// <exception cref="ModelLoadException">There is not enough memory.</exception>
    /// <exception cref="DecodeException">The model cannot be computed.</exception>
    public static void Compute(ILlamaModel model)
    {
        var tokens = Tokenize(model.Vocabulary).Where(token => token >= 0).Append(0).ToList();
        using (var context = model.CreateContext(ContextOptions.Probe))
        {
            Decode(context, tokens, 0, PromptTokens);
            Decode(context, tokens, PromptTokens, 1);
            using var state = new StateBuffer(context.StateBytes(0));
            context.Save(0, state);
            context.Load(1, state);
        }

        TryEmbed(model, tokens);
    }

    /// <summary>Makes an embedder and uses it. A model that computes no embeddings can chat all the same.</summary>
    public static void TryEmbed(ILlamaModel model, IReadOnlyList<int> tokens)
    {
        try
        {
            using var embedder = model.CreateEmbedder(ContextOptions.Probe.BatchTokens, threads: 1);
            if (tokens.Count > 0)
            {
                embedder?.Embed([.. tokens.Take(PromptTokens)]);
            }
        }
        catch (Exception e) when (e is ModelLoadException or DecodeException)
        {
            // A request for embeddings says so.
        }
    }

    private static void Decode(ILlamaContext context, List<int> tokens, int position, int count)
    {
        var batch = new TokenBatch(context.BatchTokens);
        for (var sequence = 0; sequence < context.Sequences; sequence++)
        {
            for (var i = 0; i < count; i++)
            {
                batch.Add(tokens[i % tokens.Count], position + i, sequence, output: i == count - 1);
            }
        }

        context.Decode(batch);
    }
}
