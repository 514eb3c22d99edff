namespace Herd.Inference.Generation;

/// <summary>Who goes first.</summary>
public enum Priority
{
    /// <summary>Somebody waits for the answer.</summary>
    Interactive,

    /// <summary>Takes what the others leave, and makes way for them.</summary>
    Background,
}
