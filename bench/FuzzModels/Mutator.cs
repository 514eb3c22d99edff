using System.Text;

namespace Herd.FuzzModels;

/// <summary>Changes headers as a damaged download, a wrong converter or an attacker would. Seeded.</summary>
internal sealed class Mutator(Random random, IReadOnlyList<string> keys)
{
    private const int MaxChanges = 3;

    private static readonly ulong[] Numbers =
    [
        0, 1, 2, 3, 4, 5, 7, 8, 16, 31, 32, 63, 64, 100, 127, 128, 255, 256, 257, 511, 512, 513, 1000, 4096, 65535,
        65536, 100_000, 1 << 20, int.MaxValue, 1UL << 31, uint.MaxValue - 1, uint.MaxValue, 1UL << 32, 1UL << 40,
        long.MaxValue, ulong.MaxValue,
    ];

    private static readonly float[] Fractions =
    [
        0, -0f, 1, -1, 0.5f, 2, 1e-30f, 1e30f, float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.Epsilon,
        float.MaxValue, 10_000, 1e-5f,
    ];

    private static readonly string[] Texts =
    [
        "", " ", "a", "none", "no_vocab", "linear", "yarn", "longrope", "odd", "llama", "gpt2", "bert", "t5", "rwkv",
        "plamo2", "gemma4", "hybriddna", "whitespace", "test", "default", "llama-bpe", "qwen2", "kimi-k2",
        "mamba", "[EMPTY_0]", "[EMPTY_5]", "<0x0A>", "<0x00>", "\\n", "\n", "▁", "<|im_end|>", "<unk>", "\0", "a\0b",
        "the", "\u0120", "t h", " t", "t ", "  ", "\\x", "\\xzz", "\\", "<0xZZ>", "<0x", "silu", "gelu", "mean",
    ];

    /// <summary>A changed copy, and what was changed.</summary>
    public (byte[] Header, long Length, string Changes) Mutate(GgufDraft seed)
    {
        var draft = seed.Copy();
        var changes = new List<string>();
        for (var i = random.Next(MaxChanges); i >= 0; i--)
        {
            changes.Add(Change(draft));
        }

        var (header, length) = draft.ToBytes();
        if (random.Next(12) == 0)
        {
            var at = random.Next(header.Length);
            header[at] = (byte)Numbers[random.Next(Numbers.Length)];
            changes.Add($"byte {at} = {header[at]}");
        }

        return (header, length, string.Join("; ", changes));
    }

    private string Change(GgufDraft draft) => random.Next(20) switch
    {
        < 7 => ChangeNumber(draft),
        7 or 8 => AddKey(draft),
        9 => RemoveKey(draft),
        10 => ChangeType(draft),
        11 or 12 => ChangeArray(draft),
        13 or 14 => ChangeTokens(draft),
        15 => ChangeText(draft),
        16 => ChangeVocabulary(draft),
        _ => ChangeTensor(draft),
    };

    private string ChangeNumber(GgufDraft draft)
    {
        var at = Pick(draft, value => GgufValue.Size(value.Type) > 0);
        if (at < 0)
        {
            return AddKey(draft);
        }

        var (key, value) = draft.Metadata[at];
        var before = (ulong)value.Data;
        var next = value.Type == GgufValue.F32 ? BitConverter.SingleToUInt32Bits(Element(Fractions))
            : value.Type == GgufValue.Bool ? 1 - before
            : random.Next(3) == 0 ? before + (ulong)random.Next(-2, 3) * (random.Next(2) == 0 ? 1UL : before)
            : Element(Numbers);
        draft.Metadata[at] = (key, value with { Data = next });
        return $"{key} = {Name(draft.Metadata[at].Value)}";
    }

    private string AddKey(GgufDraft draft)
    {
        var key = Element(keys).Replace("%s", draft.Architecture, StringComparison.Ordinal);
        var value = random.Next(6) switch
        {
            < 3 => GgufValue.From((uint)Element(Numbers)),
            3 => GgufValue.From(Element(Fractions)),
            4 => random.Next(2) == 0 ? GgufValue.From(random.Next(2) == 0) : GgufValue.From(Element(Texts)),
            _ => GgufValue.FromNumbers(
                random.Next(2) == 0 ? GgufValue.U32 : GgufValue.F32,
                Enumerable.Repeat(0, random.Next(3) == 0 ? random.Next(8) : Layers(draft))
                    .Select(_ => Element(Numbers))),
        };
        draft.Set(key, value);
        return $"{key} = {Name(value)}";
    }

    private string RemoveKey(GgufDraft draft)
    {
        var key = draft.Metadata[random.Next(draft.Metadata.Count)].Key;
        draft.Remove(key);
        return $"no {key}";
    }

    private string ChangeType(GgufDraft draft)
    {
        var at = random.Next(draft.Metadata.Count);
        var (key, value) = draft.Metadata[at];
        var type = (uint)random.Next(13);
        draft.Metadata[at] = (key, (value.Data, type) switch
        {
            (ulong number, GgufValue.Array) => GgufValue.FromNumbers(
                value.Type, Enumerable.Repeat(number, Layers(draft) + random.Next(-1, 2))),
            (ulong, GgufValue.Text) => GgufValue.From(Element(Texts)),
            (ulong, _) => value with { Type = type },
            _ => GgufValue.From((uint)Element(Numbers)),
        });
        return $"{key} = {Name(draft.Metadata[at].Value)}";
    }

    private string ChangeArray(GgufDraft draft)
    {
        var at = Pick(draft, value => value.Type == GgufValue.Array);
        if (at < 0)
        {
            return AddKey(draft);
        }

        var (key, value) = draft.Metadata[at];
        var elements = value.Elements.ToList();
        var size = Math.Max(0, Element([0, 1, elements.Count - 1, elements.Count + 1, elements.Count / 2, 513, 600]));
        if (random.Next(2) == 0 && elements.Count > 0)
        {
            ChangeElement(value, elements, random.Next(elements.Count));
        }
        else if (size < elements.Count)
        {
            elements.RemoveRange(size, elements.Count - size);
        }
        else if (elements.Count > 0)
        {
            elements.AddRange(Enumerable.Repeat(elements[0], size - elements.Count));
        }

        var type = random.Next(8) == 0 && GgufValue.Size(value.ElementType) > 0
            ? Element([0u, 1u, 4u, 5u, 6u, 7u, 10u, 11u, 12u])
            : value.ElementType;
        draft.Metadata[at] = (key, new GgufValue(GgufValue.Array, elements, type));
        return $"{key} = {Name(draft.Metadata[at].Value)}";
    }

    private string ChangeTokens(GgufDraft draft)
    {
        var key = random.Next(3) switch
        {
            0 => "tokenizer.ggml.merges",
            1 when random.Next(2) == 0 => random.Next(2) == 0 ? "tokenizer.ggml.scores" : "tokenizer.ggml.token_type",
            _ => "tokenizer.ggml.tokens",
        };
        if (draft.Find(key) is not { Type: GgufValue.Array, Elements: { Count: > 0 } before } value)
        {
            return AddKey(draft);
        }

        var elements = before.ToList();
        var changed = new List<string>();
        for (var i = random.Next(3); i >= 0; i--)
        {
            var at = random.Next(2) == 0 ? random.Next(Math.Min(elements.Count, 8)) : random.Next(elements.Count);
            ChangeElement(value, elements, at);
            changed.Add($"[{at}] = {Name(elements[at])}");
        }

        draft.Set(key, new GgufValue(GgufValue.Array, elements, value.ElementType));
        return $"{key} {string.Join(", ", changed)}";
    }

    private void ChangeElement(GgufValue array, List<object> elements, int at) => elements[at] = elements[at] switch
    {
        ulong when array.ElementType == GgufValue.F32 => (ulong)BitConverter.SingleToUInt32Bits(Element(Fractions)),
        ulong => Element(Numbers),
        _ when random.Next(4) == 0 => elements[random.Next(elements.Count)],
        _ when random.Next(4) == 0 => Encoding.UTF8.GetBytes($"[EMPTY_{random.Next(8)}]"),
        _ when random.Next(6) == 0 => RandomBytes(),
        _ => Encoding.UTF8.GetBytes(Element(Texts)),
    };

    private string ChangeText(GgufDraft draft)
    {
        var at = Pick(draft, value => value.Type == GgufValue.Text);
        if (at < 0)
        {
            return AddKey(draft);
        }

        var key = draft.Metadata[at].Key;
        draft.Metadata[at] = (key, GgufValue.From(Element(Texts)));
        return $"{key} = {Name(draft.Metadata[at].Value)}";
    }

    private string ChangeVocabulary(GgufDraft draft)
    {
        if (draft.Find("tokenizer.ggml.tokens") is not { Type: GgufValue.Array, Elements.Count: Vocabularies.Tokens })
        {
            return ChangeText(draft);
        }

        var kind = Element(Vocabularies.Kinds);
        Vocabularies.Set(draft, kind);
        return $"vocabulary {kind}";
    }

    private string ChangeTensor(GgufDraft draft)
    {
        if (draft.Tensors.Count == 0)
        {
            return AddKey(draft);
        }

        var at = random.Next(draft.Tensors.Count);
        var tensor = draft.Tensors[at];
        switch (random.Next(5))
        {
            case 0:
                draft.Tensors.RemoveAt(at);
                return $"no {tensor.Name}";
            case 1:
                draft.Tensors[at] = tensor with { Type = Element([0u, 1u, 2u, 8u, 12u, 14u, 24u, 26u, 27u, 30u, 39u]) };
                break;
            case 2:
                draft.Tensors[at] = tensor with { Name = draft.Tensors[random.Next(draft.Tensors.Count)].Name };
                break;
            case 3:
                draft.Tensors[at] = tensor with { Shape = [.. tensor.Shape, random.Next(1, 3)] };
                break;
            default:
                var shape = tensor.Shape.ToArray();
                shape[random.Next(shape.Length)] = random.Next(3) switch
                {
                    0 => (long)Element(Numbers),
                    1 => shape[0] * 2,
                    _ => Math.Max(1, shape[0] / 2),
                };
                draft.Tensors[at] = tensor with { Shape = shape };
                break;
        }

        return $"{tensor.Name} is {draft.Tensors[at].Name} [{string.Join(", ", draft.Tensors[at].Shape)}] of type "
            + draft.Tensors[at].Type;
    }

    private static int Layers(GgufDraft draft) =>
        draft.Find($"{draft.Architecture}.block_count")?.Data is ulong layers and < 600 ? (int)layers : 4;

    private int Pick(GgufDraft draft, Func<GgufValue, bool> fits)
    {
        var fitting = Enumerable.Range(0, draft.Metadata.Count).Where(i => fits(draft.Metadata[i].Value)).ToList();
        return fitting.Count > 0 ? Element(fitting) : -1;
    }

    private T Element<T>(IReadOnlyList<T> from) => from[random.Next(from.Count)];

    private byte[] RandomBytes()
    {
        var bytes = new byte[random.Next(6)];
        random.NextBytes(bytes);
        return bytes;
    }

    private static string Name(GgufValue value) => value.Data is List<object> elements
        ? $"{elements.Count} of type {value.ElementType} [{string.Join(", ", elements.Take(6).Select(Name))}]"
        : value.Type == GgufValue.F32 ? $"{BitConverter.UInt32BitsToSingle((uint)(ulong)value.Data)}"
        : $"{Name(value.Data)} (type {value.Type})";

    private static string Name(object element) => element is byte[] text
        ? Encoding.Latin1.GetString(text).Replace("\0", "\\0", StringComparison.Ordinal).ReplaceLineEndings("\\n")
        : $"{element}";
}
