namespace Herd.Load;

/// <summary>What both sides of a comparison are given.</summary>
/// <param name="Model">The model's file.</param>
/// <param name="Slots">Sequences side by side.</param>
/// <param name="Cells">Tokens of KV cache in all.</param>
/// <param name="Threads">CPU threads.</param>
internal sealed record Setup(string Model, int Slots, int Cells, int Threads);
