using Herd.Grains.Hosting;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Nodes;

/// <summary>What a node serves. Section "Node".</summary>
public sealed class NodeOptions
{
    public const string Section = "Node";

    /// <summary>An id of the catalog, or the path of a GGUF file.</summary>
    public string Model { get; set; } = "";

    /// <summary>The catalog that ids are looked up in.</summary>
    public string Catalog { get; set; } = "models/catalog.json";

    /// <summary>What computes, by its name; empty means the native runtime that was built in. Default empty.</summary>
    public string Runtime { get; set; } = "";

    /// <summary>Conversations computed side by side, 1 to 256. Default 8.</summary>
    public int Slots { get; set; } = 8;

    /// <summary>Tokens that a conversation can hold; 0 means as many as the model was trained for. Default 0.</summary>
    public int ContextTokens { get; set; }

    /// <summary>CPU threads that compute; 0 means every core. Nodes that share a machine divide its cores. Default 0.</summary>
    public int Threads { get; set; }

    /// <summary>Most tokens computed in one step, 1 to 4096. Default 256.</summary>
    public int BatchTokens { get; set; } = 256;

    /// <summary>Layers kept on the GPU; negative means all. Default all.</summary>
    public int GpuLayers { get; set; } = -1;

    /// <summary>
    /// The share of the layers that each of the node's GPUs takes, in any unit, 0 or more; at most 16. Default none: by the memory that each has free.
    /// </summary>
    public IList<float> TensorSplit { get; set; } = [];

    /// <summary>Most turns that may wait for a slot, 0 or more. Default 256.</summary>
    public int MaxQueued { get; set; } = 256;

    /// <summary>Bytes of host memory for the KV caches of sessions that have no slot; 0 means none. Default 1 GiB.</summary>
    public long KvHostBytes { get; set; } = 1L << 30;

    /// <summary>The folder for KV caches on disk, of this node alone; empty means none. Default none.</summary>
    public string KvDirectory { get; set; } = "";

    /// <summary>Bytes of disk for KV caches; 0 means none. Default 4 GiB.</summary>
    public long KvDiskBytes { get; set; } = 4L << 30;

    /// <summary>Whether tokens are guessed from what was said before, where that pays. Default true.</summary>
    public bool Speculate { get; set; } = true;

    /// <summary>
    /// How much longer a step may take when a prompt is computed beside answers, as a multiple of a step without; above 1.
    /// More brings long prompts to their first token sooner and everybody else's tokens later. Default 1.8.
    /// </summary>
    public double MaxStretch { get; set; } = 1.8;

    /// <summary>
    /// The least time between two pieces of an answer but the first and the last; tokens that come faster share a message. 0
    /// means none. Default 20 ms.
    /// </summary>
    public TimeSpan StreamInterval { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>The longest time between two reports to a gateway. Default 400 ms.</summary>
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromMilliseconds(400);

    /// <summary>
    /// How long a step may take before the node says that it hangs, and its answers go on elsewhere. More for models of which a
    /// step of <see cref="BatchTokens"/> takes seconds. Default 8 s.
    /// </summary>
    public TimeSpan StepDeadline { get; set; } = TimeSpan.FromSeconds(8);

    /// <summary>
    /// How long a node that is to end may take to move its sessions elsewhere; 0 means that it does not try. Default what
    /// Cluster:GraceSeconds leaves, and 1 min where that is not said.
    /// </summary>
    public TimeSpan? DrainTime { get; set; }
}

internal sealed class NodeOptionsValidator : IValidateOptions<NodeOptions>
{
    public ValidateOptionsResult Validate(string? name, NodeOptions options)
    {
        var errors = new OptionErrors();
        errors.Require(options.Model.Length > 0, "Node:Model is empty; it names a model of the catalog or a GGUF file.");
        errors.Require(options.Slots is >= 1 and <= 256, $"Node:Slots {options.Slots} is not from 1 to 256.");
        errors.Require(options.ContextTokens >= 0, $"Node:ContextTokens {options.ContextTokens} is negative.");
        errors.Require(options.Threads >= 0, $"Node:Threads {options.Threads} is negative.");
        errors.Require(options.BatchTokens is >= 1 and <= 4096, $"Node:BatchTokens {options.BatchTokens} is not from 1 to 4096.");
        errors.Require(options.BatchTokens >= options.Slots, $"Node:BatchTokens {options.BatchTokens} is less than Node:Slots {options.Slots}; each slot needs a token a step.");
        errors.Require(
            options.TensorSplit.Count <= 16 && options.TensorSplit.All(share => share >= 0 && float.IsFinite(share)) && (options.TensorSplit.Count == 0 || options.TensorSplit.Sum() > 0),
            $"Node:TensorSplit {string.Join(',', options.TensorSplit)} is not up to 16 shares, 0 or more, and more than 0 together.");
        errors.Require(options.MaxQueued >= 0, $"Node:MaxQueued {options.MaxQueued} is negative.");
        errors.Require(options.KvHostBytes >= 0, $"Node:KvHostBytes {options.KvHostBytes} is negative.");
        errors.Require(options.KvDiskBytes >= 0, $"Node:KvDiskBytes {options.KvDiskBytes} is negative.");
        errors.Require(options.MaxStretch > 1, $"Node:MaxStretch {options.MaxStretch} is not above 1.");
        errors.Require(options.StreamInterval >= TimeSpan.Zero, $"Node:StreamInterval {options.StreamInterval} is negative.");
        errors.Require(options.StepDeadline > TimeSpan.Zero, $"Node:StepDeadline {options.StepDeadline} is not above zero.");
        errors.Require(options.DrainTime is null || options.DrainTime >= TimeSpan.Zero, $"Node:DrainTime {options.DrainTime} is negative.");
        errors.Require(options.Heartbeat > TimeSpan.Zero, $"Node:Heartbeat {options.Heartbeat} is not above zero.");
        return errors.ToResult();
    }
}
