namespace Herd.Inference.Generation;

/// <summary>The priority class of a request.</summary>
public enum Priority
{
    /// <summary>A user waits for the answer.</summary>
    Interactive,

    /// <summary>Runs only in slots that interactive requests do not need, and is preempted by them.</summary>
    Background,
}
