namespace Herd.Inference.Models.Gguf.Checks;

/// <summary>Sliding windows: an architecture that has them has them in some layer.</summary>
internal static class WindowCheck
{
    private const string Pattern = "attention.sliding_window_pattern";

    public static string? FindFault(Hyperparameters model)
    {
        var trunk = model.Layers - (model.Number("nextn_predict_layers") ?? 0);
        var hasWindow = model.Number("attention.sliding_window") > 0;
        return model.Value(Pattern) switch
        {
            GgufArray layers when layers.Count < trunk => $"'{Pattern}' has {layers.Count} elements for {trunk} blocks",
            GgufArray layers when hasWindow && layers.Numbers.All(number => number is 0L or 0UL or false) =>
                "there is a sliding window, but no layer has it",
            1L when hasWindow => "there is a sliding window, but no layer has it",
            _ => null,
        };
    }
}
