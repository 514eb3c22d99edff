namespace Herd.Inference.Models.Gguf.Checks;

/// <summary>
/// Every number has a range that keeps products of sizes from overflowing and divisors from being zero. Integers that
/// are not listed are 0 to 16,777,216; fractions are finite.
/// </summary>
internal static class RangeCheck
{
    public const int MaxLayers = 512;

    private const long MaxSize = 1 << 24;
    private const long MaxHead = 1 << 16;

    private static readonly Dictionary<string, (long Min, long Max)> Ranges = new()
    {
        ["block_count"] = (1, MaxLayers),
        ["context_length"] = (1, 1 << 30),
        ["rope.scaling.original_context_length"] = (0, 1 << 30),
        ["embedding_length"] = (1, MaxSize),
        ["features_length"] = (1, MaxSize),
        ["attention.key_length"] = (1, MaxHead),
        ["attention.value_length"] = (1, MaxHead),
        ["attention.key_length_swa"] = (1, MaxHead),
        ["attention.value_length_swa"] = (1, MaxHead),
        ["attention.key_length_mla"] = (1, MaxHead),
        ["attention.value_length_mla"] = (1, MaxHead),
        ["attention.indexer.block_size"] = (1, MaxSize),
        ["attention.output_group_count"] = (1, MaxHead),
        ["attention.temperature_length"] = (1, long.MaxValue),
        ["expert_gating_func"] = (1, 4),
        ["expert_used_count"] = (0, 1024),
        ["expert_count"] = (0, 1024),
        ["pooling_type"] = (0, 4),
        ["wkv.head_size"] = (1, MaxHead),
        ["deepstack_mapping"] = (-1, MaxLayers),
        ["num_loops"] = (1, MaxLayers),
        ["ple.eos_token_id"] = (0, uint.MaxValue),
        ["ple.image_token_id"] = (0, uint.MaxValue),
        ["decoder_start_token_id"] = (0, uint.MaxValue),
    };

    /// <summary>Hashes and limits that use all their bits.</summary>
    private static readonly HashSet<string> Unbounded =
        ["ple.layer_multipliers", "ple.head_offsets", "ple.head_vocab_sizes", "attention.indexer.top_k"];

    public static string? FindFault(Hyperparameters model)
    {
        if (model.Number("block_count") is not { } layers)
        {
            return $"'{model.Architecture}.block_count' is missing or no integer";
        }

        if (model.Number("nextn_predict_layers") is { } predicting && predicting >= Math.Max(layers, 1))
        {
            return $"{predicting} of {layers} blocks predict further tokens";
        }

        var prefix = model.Architecture + ".";
        return model.File.Metadata
            .Where(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal))
            .Select(pair => FindFault(pair.Key, pair.Key[prefix.Length..], pair.Value))
            .FirstOrDefault(fault => fault is not null);
    }

    private static string? FindFault(string fullKey, string key, object value)
    {
        if (Unbounded.Contains(key))
        {
            return null;
        }

        var (min, max) = Ranges.TryGetValue(key, out var range) ? range : (0, MaxSize);
        return Elements(value).FirstOrDefault(element => !IsWithin(element, min, max)) is { } odd
            ? odd is double ? $"'{fullKey}' is {odd}, which is no finite number"
                : $"'{fullKey}' is {odd}, which is not {min} to {max}"
            : key.EndsWith("_epsilon", StringComparison.Ordinal) && value is < 0.0 ? $"'{fullKey}' is {value}"
            : null;
    }

    private static IEnumerable<object> Elements(object value) => value is GgufArray array ? array.Numbers : [value];

    private static bool IsWithin(object value, long min, long max) => value switch
    {
        long number => number >= min && number <= max,
        ulong number => number >= (ulong)min && number <= (ulong)max,
        double number => double.IsFinite(number),
        _ => true,
    };
}
