namespace Herd.Inference.Models.Gguf.Checks;

/// <summary>Sliding windows: an architecture that has them has them in some layer.</summary>
internal static class WindowCheck
{
    public static string? FindFault(Hyperparameters model)
    {
        var layers = model.Value("attention.sliding_window_pattern") as GgufArray;
        return layers is { Count: > 0 }
            && (model.Number("attention.sliding_window") ?? 0) > 0
            && layers.Numbers.All(number => number is 0L or 0UL or false)
                ? "there is a sliding window, but no layer has it"
            : null;
    }
}
