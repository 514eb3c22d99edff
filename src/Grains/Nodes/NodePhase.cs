using Herd.Contracts.Nodes;

namespace Herd.Grains.Nodes;

/// <summary>The phase that a node is in. It is immutable: each change replaces the phase as a whole.</summary>
internal abstract record NodePhase
{
    private NodePhase()
    {
    }

    /// <summary>True if the node takes no new work.</summary>
    public bool IsDraining { get; init; }

    /// <summary>The latest load. It is part of the phase, so that both change at once for whoever looks.</summary>
    public ModelLoad? Load { get; init; }

    /// <summary>The share of the model's weights that is loaded, 0 to 1.</summary>
    public abstract float Progress { get; }

    /// <summary>The model that is loaded; null if there is none.</summary>
    public virtual LoadedModel? Model => null;

    /// <summary>The state that the node reports in this phase.</summary>
    /// <param name="isStopping">True if the process is about to end.</param>
    /// <param name="stepDeadline">The longest time that a step of the engine may take.</param>
    public NodeState State(bool isStopping, TimeSpan stepDeadline) => this switch
    {
        { IsDraining: true } => NodeState.Draining,
        _ when isStopping => NodeState.Draining,
        Loading or WarmingUp => NodeState.Loading,
        Serving serving when serving.Model.Engine.SinceLastStep > stepDeadline => NodeState.Stalled,
        _ => NodeState.Ready,
    };

    /// <summary>A model is being loaded or unloaded.</summary>
    internal sealed record Loading(float Progress) : NodePhase
    {
        public override float Progress { get; } = Progress;
    }

    /// <summary>The model is loaded and answers prompts of the node itself.</summary>
    internal sealed record WarmingUp(LoadedModel Model) : NodePhase
    {
        public override float Progress => 1;

        public override LoadedModel Model { get; } = Model;
    }

    /// <summary>The model takes work.</summary>
    internal sealed record Serving(LoadedModel Model) : NodePhase
    {
        public override float Progress => 1;

        public override LoadedModel Model { get; } = Model;
    }

    /// <summary>The node serves no model.</summary>
    /// <param name="Progress">The progress of the last load.</param>
    internal sealed record Idle(float Progress) : NodePhase
    {
        public override float Progress { get; } = Progress;
    }
}
