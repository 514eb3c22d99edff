using System.Globalization;

namespace Herd.Testing;

/// <summary>
/// A llama of two small layers with random weights. It computes like a large one, in microseconds, and answers
/// nonsense. Its vocabulary is the 256 bytes, a few merges, and special tokens of both kinds.
/// </summary>
public static class TinyModel
{
    public const int ContextLength = 2048;

    public const string UserDefinedToken = "<tool>";

    public static readonly string[] ControlTokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];

    public const string ChatTemplate =
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' "
        + "+ '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

    private const int Embedding = 64;
    private const int Layers = 2;
    private const int Heads = 4;
    private const int KvHeads = 2;
    private const int FeedForward = 128;
    private const int HeadSize = Embedding / Heads;

    private static readonly string[] Merges = ["t h", "th e", "i n", "Ġ t", "Ġt he"];

    /// <summary>Writes the model. The same seed gives the same file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="seed">The seed of the weights.</param>
    /// <param name="change">Changes what is written; null for nothing.</param>
    public static string Write(string path, int seed = 1, Action<GgufWriter>? change = null)
    {
        var random = new Random(seed);
        var vocabulary = Vocabulary();
        var writer = new GgufWriter();
        AddMetadata(writer, vocabulary);
        AddTensors(writer, vocabulary.Length, random);
        change?.Invoke(writer);
        writer.Write(path);
        return path;
    }

    private static void AddMetadata(GgufWriter writer, string[] vocabulary)
    {
        var types = vocabulary.Select(token => ControlTokens.Contains(token) ? 3 : token == UserDefinedToken ? 4 : 1);
        writer
            .Add("general.architecture", "llama")
            .Add("general.name", "Herd tiny")
            .Add("llama.vocab_size", (uint)vocabulary.Length)
            .Add("llama.context_length", (uint)ContextLength)
            .Add("llama.embedding_length", (uint)Embedding)
            .Add("llama.block_count", (uint)Layers)
            .Add("llama.feed_forward_length", (uint)FeedForward)
            .Add("llama.attention.head_count", (uint)Heads)
            .Add("llama.attention.head_count_kv", (uint)KvHeads)
            .Add("llama.attention.layer_norm_rms_epsilon", 1e-5f)
            .Add("llama.rope.dimension_count", (uint)HeadSize)
            .Add("tokenizer.ggml.model", "gpt2")
            .Add("tokenizer.ggml.pre", "smollm")
            .Add("tokenizer.ggml.tokens", vocabulary)
            .Add("tokenizer.ggml.token_type", types.ToArray())
            .Add("tokenizer.ggml.merges", Merges)
            .Add("tokenizer.ggml.bos_token_id", 0u)
            .Add("tokenizer.ggml.eos_token_id", 2u)
            .Add("tokenizer.ggml.add_bos_token", false)
            .Add("tokenizer.chat_template", ChatTemplate);
    }

    private static void AddTensors(GgufWriter writer, int vocabulary, Random random)
    {
        AddMatrix("token_embd.weight", Embedding, vocabulary, 1);
        for (var layer = 0; layer < Layers; layer++)
        {
            var block = string.Create(CultureInfo.InvariantCulture, $"blk.{layer}.");
            AddNorm(block + "attn_norm.weight");
            AddMatrix(block + "attn_q.weight", Embedding, Embedding, 0.3f);
            AddMatrix(block + "attn_k.weight", Embedding, KvHeads * HeadSize, 0.3f);
            AddMatrix(block + "attn_v.weight", Embedding, KvHeads * HeadSize, 0.3f);
            AddMatrix(block + "attn_output.weight", Embedding, Embedding, 0.3f);
            AddNorm(block + "ffn_norm.weight");
            AddMatrix(block + "ffn_gate.weight", Embedding, FeedForward, 0.3f);
            AddMatrix(block + "ffn_up.weight", Embedding, FeedForward, 0.3f);
            AddMatrix(block + "ffn_down.weight", FeedForward, Embedding, 0.3f);
        }

        AddNorm("output_norm.weight");
        AddMatrix("output.weight", Embedding, vocabulary, 0.5f);

        void AddNorm(string name) => writer.Add(name, [.. Enumerable.Repeat(1f, Embedding)], Embedding);

        void AddMatrix(string name, int columns, int rows, float scale) =>
            writer.Add(
                name, [.. Enumerable.Range(0, columns * rows).Select(_ => Normal(random) * scale)], columns, rows);
    }

    private static float Normal(Random random) =>
        MathF.Sqrt(-2 * MathF.Log(1 - random.NextSingle())) * MathF.Cos(2 * MathF.PI * random.NextSingle());

    /// <summary>Special tokens, then GPT-2's visible stand-ins for the 256 bytes, then the merges.</summary>
    private static string[] Vocabulary()
    {
        var next = 256;
        var bytes = Enumerable.Range(0, 256).Select(b =>
            ((char)(b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or >= 0xAE ? b : next++)).ToString());
        return [
            .. ControlTokens,
            UserDefinedToken,
            .. bytes,
            .. Merges.Select(merge => merge.Replace(" ", "", StringComparison.Ordinal)),
        ];
    }
}
