using System.Globalization;
using System.Text;

namespace Herd.FuzzModels;

/// <summary>Sound vocabularies of every kind that llama.cpp has, all of the same number of tokens.</summary>
internal static class Vocabularies
{
    public const int Tokens = 320;

    private const uint Normal = 1;
    private const uint Unknown = 2;
    private const uint Control = 3;
    private const uint Byte = 6;

    public static readonly string[] Kinds =
        ["gpt2", "gemma4", "hybriddna", "whitespace", "llama", "bert", "t5", "rwkv", "plamo2", "test", "none"];

    private static readonly string[] Merges = ["t h", "th e", "i n", "Ġ t", "Ġt he"];

    /// <summary>Replaces the vocabulary of a header.</summary>
    public static GgufDraft Set(GgufDraft draft, string kind)
    {
        draft.Metadata.RemoveAll(pair => pair.Key != "tokenizer.ggml.token_type_count"
            && pair.Key.StartsWith("tokenizer.ggml.", StringComparison.Ordinal));
        var (tokens, types) = kind switch
        {
            "gpt2" or "gemma4" or "hybriddna" or "whitespace" => Bytes(),
            "llama" or "plamo2" or "t5" => Pieces(),
            "bert" => Words(),
            "rwkv" => Escaped(),
            _ => Fill([], []),
        };
        draft.Set("tokenizer.ggml.model", GgufValue.From(kind))
            .Set("tokenizer.ggml.tokens", GgufValue.FromTexts(tokens))
            .Set("tokenizer.ggml.token_type", GgufValue.FromNumbers(GgufValue.I32, types.Select(type => (ulong)type)))
            .Set("tokenizer.ggml.scores", GgufValue.FromNumbers(
                GgufValue.F32, tokens.Select((_, i) => (ulong)BitConverter.SingleToUInt32Bits(-i))));
        if (kind is "gpt2" or "gemma4" or "hybriddna" or "whitespace")
        {
            draft.Set("tokenizer.ggml.merges", GgufValue.FromTexts(Merges))
                .Set("tokenizer.ggml.pre", GgufValue.From(kind == "gpt2" ? "llama-bpe" : kind == "whitespace"
                    ? "whitespace" : "default"));
        }

        return draft.Set("tokenizer.ggml.bos_token_id", GgufValue.From(1u))
            .Set("tokenizer.ggml.eos_token_id", GgufValue.From(2u));
    }

    /// <summary>GPT-2's visible stand-ins for the 256 bytes.</summary>
    private static (List<string> Tokens, List<uint> Types) Bytes()
    {
        var next = 256;
        List<string> tokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];
        List<uint> types = [Control, Control, Control];
        for (var b = 0; b < 256; b++)
        {
            tokens.Add(((char)(b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or >= 0xAE ? b : next++)).ToString());
        }

        tokens.AddRange(Merges.Select(merge => merge.Replace(" ", "", StringComparison.Ordinal)));
        return Fill(tokens, types);
    }

    /// <summary>SentencePiece: three special tokens, a token for each byte, pieces.</summary>
    private static (List<string> Tokens, List<uint> Types) Pieces()
    {
        List<string> tokens = ["<unk>", "<s>", "</s>"];
        List<uint> types = [Unknown, Control, Control];
        for (var b = 0; b < 256; b++)
        {
            tokens.Add(string.Create(CultureInfo.InvariantCulture, $"<0x{b:X2}>"));
            types.Add(Byte);
        }

        tokens.AddRange(["▁", "▁t", "he", "▁the", "in"]);
        return Fill(tokens, types);
    }

    private static (List<string> Tokens, List<uint> Types) Words() =>
        Fill(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "▁the", "▁hello", "ing"], []);

    private static (List<string> Tokens, List<uint> Types) Escaped() =>
        Fill([.. Enumerable.Range(0, 256).Select(b => b switch
        {
            '\n' => "\\n",
            '\\' => "\\\\",
            >= 32 and < 127 => ((char)b).ToString(),
            _ => string.Create(CultureInfo.InvariantCulture, $"\\x{b:x2}"),
        })], []);

    private static (List<string> Tokens, List<uint> Types) Fill(List<string> tokens, List<uint> types)
    {
        while (tokens.Count < Tokens)
        {
            tokens.Add(new StringBuilder("word").Append(tokens.Count).ToString());
        }

        types.AddRange(Enumerable.Repeat(Normal, Tokens - types.Count));
        return (tokens, types);
    }
}
