namespace Herd.Inference.Kv.Snapshots;

/// <summary>The model, the layout and the key that a snapshot is bound to.</summary>
/// <param name="Model">SHA-256 of the model's file.</param>
/// <param name="Layout">The runtime's description of its cache.</param>
/// <param name="Key">The secret that snapshots are sealed with, 32 bytes.</param>
public sealed record SnapshotBinding(byte[] Model, string Layout, byte[] Key);
