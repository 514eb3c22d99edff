namespace Herd.Load;

/// <summary>The settings of both sides of a comparison.</summary>
/// <param name="Model">The model's file.</param>
/// <param name="Slots">Concurrent sequences.</param>
/// <param name="Cells">The size of the KV cache, in tokens.</param>
/// <param name="Threads">CPU threads.</param>
internal sealed record Setup(string Model, int Slots, int Cells, int Threads);
