namespace Herd.Inference.Generation;

/// <summary>How busy an engine is.</summary>
/// <param name="Slots">Sequences that can be computed side by side.</param>
/// <param name="Active">Sequences that are being computed.</param>
/// <param name="Queued">Sequences that wait for a slot.</param>
/// <param name="Sessions">Sessions whose KV cache is on the device.</param>
/// <param name="KvTokens">Tokens in these caches.</param>
/// <param name="KvCapacity">Tokens that fit.</param>
public sealed record EngineLoad(int Slots, int Active, int Queued, int Sessions, int KvTokens, int KvCapacity);
