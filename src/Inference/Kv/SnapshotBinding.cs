namespace Herd.Inference.Kv;

/// <summary>What a snapshot is good for: this model, this layout, and whoever has the key.</summary>
/// <param name="Model">SHA-256 of the model's file.</param>
/// <param name="Layout">What the runtime says of its cache.</param>
/// <param name="Key">The secret that snapshots are sealed with, 32 bytes.</param>
public sealed record SnapshotBinding(byte[] Model, string Layout, byte[] Key);
