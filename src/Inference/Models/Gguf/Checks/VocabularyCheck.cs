using System.Globalization;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Herd.Inference.Models.Gguf.Checks;

/// <summary>
/// The vocabulary is of a known kind, no two tokens are equal, scores are finite, and the tokens that its kind needs
/// are there. A text whose bytes have no tokens would end the process while a node serves.
/// </summary>
internal static class VocabularyCheck
{
    private const string Prefix = "tokenizer.ggml.";
    private const int ByteToken = 6;

    private static readonly string[] Kinds =
        ["llama", "bert", "gpt2", "hybriddna", "whitespace", "t5", "rwkv", "plamo2", "gemma4", "test"];

    public static string? FindFault(Hyperparameters model)
    {
        var file = model.File;
        var tokens = (file.Metadata.GetValueOrDefault(GgufFile.TokensKey) as GgufArray)?.Texts ?? [];
        return !file.Metadata.ContainsKey(Prefix + "model") ? null
            : file.Metadata[Prefix + "model"] is not string kind || !Kinds.Contains(kind)
                ? $"'{Prefix}model' is none of {string.Join(", ", Kinds)}"
            : tokens.Count == 0 ? "there are no tokens"
            : FindTwin(tokens) ?? FindOddScore(file) ?? FindMissing(file, kind, tokens);
    }

    /// <summary>
    /// llama.cpp cuts a token at a zero byte, names an empty one by its number, and ends the process if two are equal
    /// then.
    /// </summary>
    private static string? FindTwin(IReadOnlyList<string> tokens)
    {
        var names = new HashSet<string>(tokens.Count, StringComparer.Ordinal);
        for (var i = 0; i < tokens.Count; i++)
        {
            var name = tokens[i].Length > 0
                ? tokens[i]
                : string.Create(CultureInfo.InvariantCulture, $"[EMPTY_{i}]");
            if (!names.Add(name))
            {
                return $"token {i} of '{Prefix}tokens' is the same as another";
            }
        }

        return null;
    }

    private static string? FindOddScore(GgufFile file) =>
        Numbers<float>(file, "scores") is var scores && (scores.IsEmpty || TensorPrimitives.IsFiniteAll(scores))
            ? null
            : $"'{Prefix}scores' has one that is not finite";

    private static string? FindMissing(GgufFile file, string kind, IReadOnlyList<string> tokens) => kind switch
    {
        "llama" or "plamo2" => FindMissingByte(tokens),
        "gpt2" or "hybriddna" when file.Metadata.GetValueOrDefault(Prefix + "pre") is "whitespace" =>
            $"'{Prefix}pre' is whitespace, which only such a vocabulary can have",
        "bert" when Numbers<int>(file, "token_type").Contains(ByteToken) =>
            $"'{Prefix}token_type' has a byte, which such a vocabulary cannot have",
        "rwkv" => FindUnreadable(tokens),
        _ => null,
    };

    private static ReadOnlySpan<T> Numbers<T>(GgufFile file, string key)
        where T : unmanaged =>
        file.Metadata.GetValueOrDefault(Prefix + key) is GgufArray array && array.Bytes.Length % Unsafe.SizeOf<T>() == 0
            ? MemoryMarshal.Cast<byte, T>(array.Bytes.Span)
            : [];

    /// <summary>A SentencePiece vocabulary has a token for each byte, for texts that no other token fits.</summary>
    private static string? FindMissingByte(IReadOnlyList<string> tokens)
    {
        var names = tokens.ToHashSet(StringComparer.Ordinal);
        var missing = Enumerable.Range(0, 256).Select(b => (byte)b).Cast<byte?>().FirstOrDefault(b =>
            !names.Contains(string.Create(CultureInfo.InvariantCulture, $"<0x{b:X2}>"))
            && !names.Contains(((char)b!.Value).ToString()));
        return missing is null
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"no token is the byte 0x{missing:X2}");
    }

    /// <summary>
    /// An RWKV vocabulary has a token for a new line, and for each byte that a token begins with: a text that begins a
    /// token and fits none is read for ever.
    /// </summary>
    private static string? FindUnreadable(IReadOnlyList<string> tokens)
    {
        var texts = tokens.Select(EscapedToken.Read).Where(text => text.Length > 0).ToList();
        var single = texts.Where(text => text.Length == 1).Select(text => text[0]).ToHashSet();
        return !single.Contains('\n') ? "no token is a new line"
            : texts.Exists(text => !single.Contains(text[0])) ? "a token begins with a byte that no token is"
            : null;
    }
}
