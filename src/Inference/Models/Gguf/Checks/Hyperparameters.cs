namespace Herd.Inference.Models.Gguf.Checks;

/// <summary>The metadata of a file's architecture, by keys without its prefix.</summary>
internal sealed class Hyperparameters(GgufFile file)
{
    public GgufFile File => file;

    public string Architecture => file.Architecture;

    /// <summary>The number of blocks; 0 if the file gives none.</summary>
    public int Layers { get; } = (int)Math.Clamp(file.Number($"{file.Architecture}.block_count") ?? 0, 0, int.MaxValue);

    /// <summary>An integer; null if it is missing or no single integer.</summary>
    public long? Number(string key) => file.Number(FullKey(key));

    /// <summary>An integer of each layer, also where one stands for all; empty if it is missing.</summary>
    public IReadOnlyList<long> PerLayer(string key) => file.Metadata.GetValueOrDefault(FullKey(key)) switch
    {
        GgufArray array => [.. array.Numbers.OfType<long>()],
        long number => [.. Enumerable.Repeat(number, Math.Min(Layers, RangeCheck.MaxLayers))],
        _ => [],
    };

    /// <summary>The value; null if it is missing.</summary>
    public object? Value(string key) => file.Metadata.GetValueOrDefault(FullKey(key));

    private string FullKey(string key) => $"{file.Architecture}.{key}";
}
