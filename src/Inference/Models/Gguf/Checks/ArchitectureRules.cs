namespace Herd.Inference.Models.Gguf.Checks;

/// <summary>What llama.cpp asserts in the code of single architectures, beside the traits that several share.</summary>
internal static class ArchitectureRules
{
    private static readonly Dictionary<string, Func<Hyperparameters, string?>> Rules = new()
    {
        ["arwkv7"] = model => FindOddShift(model, 1),
        ["bailingmoe3"] = model =>
            model.Value("kda.safe_gate") is true && model.Value("kda.gate_lower_bound") is < 0.0
                ? null
                : "'kda.safe_gate' is off or 'kda.gate_lower_bound' is not below 0",
        ["deepseek2"] = FindUnrotated,
        ["deepseek2-ocr"] = FindUnrotated,
        ["deepseek32"] = FindUnrotated,
        ["deepseek4"] = model => FindRemainder(model, "attention.head_count", "attention.output_group_count"),
        ["gemma-embedding"] = model =>
            !IsZeroOrEmbedding(model, "dense_2_feat_in") || !IsZeroOrEmbedding(model, "dense_3_feat_out")
                ? "'dense_2_feat_in' or 'dense_3_feat_out' is not the embedding"
                : Number(model, "attention.sliding_window_pattern") > model.Layers
                    ? "every layer has a sliding window"
                    : null,
        ["glm-dsa"] = FindUnrotated,
        ["granitehybrid"] = FindOddExpansion,
        ["grovemoe"] = model => FindMissing(model, "experts_per_group"),
        ["hrm_text"] = model =>
            Number(model, "hrm.layers_per_stack") * Number(model, "hrm.h_cycles") * (Number(model, "hrm.l_cycles") + 1)
                == model.Layers
                ? null
                : $"{model.Layers} blocks are not those of the stacks and cycles",
        ["hy_v4"] = model =>
            FindMissing(model, "attention.key_length_mla")
                ?? FindMissing(model, "attention.value_length_mla")
                ?? FindUnrotated(model),
        ["jamba"] = FindOddExpansion,
        ["lfm2"] = FindDifferentHeads,
        ["lfm2moe"] = FindDifferentHeads,
        ["minimax-m3"] = model => FindMissing(model, "attention.indexer.block_size"),
        ["llama4"] = model => model.Number("attention.sliding_window") == 0 ? "'attention.sliding_window' is 0" : null,
        ["mistral4"] = FindUnrotated,
        ["nanbeige"] = model => Number(model, "num_loops", 1) * model.Layers <= RangeCheck.MaxLayers
            ? null
            : $"{model.Layers} blocks in loops are more than {RangeCheck.MaxLayers}",
        ["rwkv6"] = model => FindOddShift(model, 2),
        ["rwkv6qwen2"] = model => FindOddShift(model, 1),
        ["rwkv7"] = model => FindOddShift(model, 2),
    };

    public static string? FindFault(Hyperparameters model) =>
        Rules.TryGetValue(model.Architecture, out var find) ? find(model) : null;

    private static string? FindUnrotated(Hyperparameters model) =>
        (model.Number("attention.key_length_mla") ?? model.Number("attention.key_length")) is { } key
            && (model.Number("rope.dimension_count") ?? model.Number("attention.key_length")) is { } rotated
            && rotated >= key
            ? $"{rotated} rotated dimensions leave none of the {key} of a key"
            : null;

    private static string? FindOddExpansion(Hyperparameters model) =>
        Number(model, "ssm.inner_size") == 2 * Number(model, "embedding_length")
            ? null
            : "'ssm.inner_size' is not twice the embedding";

    private static string? FindOddShift(Hyperparameters model, long count) =>
        Number(model, "token_shift_count", missing: 2) == count ? null : $"'token_shift_count' is not {count}";

    private static string? FindDifferentHeads(Hyperparameters model) =>
        model.Number("attention.key_length") == model.Number("attention.value_length")
            ? null
            : "keys and values differ in length";

    private static string? FindRemainder(Hyperparameters model, string key, string divisor) =>
        Number(model, divisor) is > 0 and var parts && model.PerLayer(key).All(number => number % parts == 0)
            ? null
            : $"'{key}' cannot be divided by '{divisor}'";

    private static string? FindMissing(Hyperparameters model, string key) =>
        Number(model, key) > 0 ? null : $"'{key}' is missing or 0";

    private static bool IsZeroOrEmbedding(Hyperparameters model, string key) =>
        Number(model, key) == 0 || Number(model, key) == Number(model, "embedding_length");

    private static long Number(Hyperparameters model, string key, long missing = 0) => model.Number(key) ?? missing;
}
