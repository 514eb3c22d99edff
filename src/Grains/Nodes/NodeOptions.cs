using Herd.Grains.Hosting.Configuration;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Nodes;

/// <summary>The model that a node serves, and its resources. Section "Node".</summary>
public sealed class NodeOptions
{
    public const string Section = "Node";

    /// <summary>The model: an id of the catalog, or the path of a GGUF file.</summary>
    public string Model { get; set; } = "";

    /// <summary>The path of the model catalog.</summary>
    public string Catalog { get; set; } = "models/catalog.json";

    /// <summary>
    /// Full paths of GGUF files, and of folders with such files, that operators may load on this node beside the models
    /// of the catalog. Default none.
    /// </summary>
    public IList<string> AllowPaths { get; set; } = [];

    /// <summary>The name of the runtime; empty means the built-in native one. Default empty.</summary>
    public string Runtime { get; set; } = "";

    /// <summary>The number of conversations that are computed at the same time, 1 to 256. Default 8.</summary>
    public int Slots { get; set; } = 8;

    /// <summary>
    /// The context length of a conversation in tokens; 0 means the length that the model was trained for. Default 0.
    /// </summary>
    public int ContextTokens { get; set; }

    /// <summary>
    /// CPU threads that compute; 0 means one for each core. Divide the cores among nodes on one machine. Default 0.
    /// </summary>
    public int Threads { get; set; }

    /// <summary>The maximum number of tokens in one step, 1 to 4096. Default 256.</summary>
    public int BatchTokens { get; set; } = 256;

    /// <summary>The number of layers on the GPU; negative means all. Default all.</summary>
    public int GpuLayers { get; set; } = -1;

    /// <summary>
    /// The share of the layers on each of the node's GPUs, in any unit, 0 or more; at most 16 GPUs. Default none: by
    /// their free memory.
    /// </summary>
    public IList<float> TensorSplit { get; set; } = [];

    /// <summary>The maximum number of turns that wait for a slot, 0 or more. Default 256.</summary>
    public int MaxQueued { get; set; } = 256;

    /// <summary>
    /// Bytes of host memory for the KV caches of sessions that have no slot; 0 means none. Default 1 GiB.
    /// </summary>
    public long KvHostBytes { get; set; } = 1L << 30;

    /// <summary>The folder for KV caches on disk, used by this node only; empty means none. Default none.</summary>
    public string KvDirectory { get; set; } = "";

    /// <summary>Bytes of disk for KV caches; 0 means none. Default 4 GiB.</summary>
    public long KvDiskBytes { get; set; } = 4L << 30;

    /// <summary>True to propose draft tokens from the text so far, where that saves time. Default true.</summary>
    public bool Speculate { get; set; } = true;

    /// <summary>
    /// The maximum time of a step with a prompt, in times of a step of answers alone; above 1. A higher value
    /// shortens the time to the first token of long prompts, and delays the tokens of the other answers. Default 1.8.
    /// </summary>
    public double MaxStepSlowdown { get; set; } = 1.8;

    /// <summary>
    /// The minimum time between two messages of an answer, except the first and the last. Tokens that come faster share
    /// a message. 0 sends each step's tokens at once. Default 20 ms.
    /// </summary>
    public TimeSpan StreamInterval { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>The maximum time between two reports to a gateway, above zero. Default 400 ms.</summary>
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromMilliseconds(400);

    /// <summary>
    /// The time after which a step counts as hung, and the node's answers continue on other nodes. Raise it for models
    /// whose step of <see cref="BatchTokens"/> takes seconds. Default 8 s.
    /// </summary>
    public TimeSpan StepDeadline { get; set; } = TimeSpan.FromSeconds(8);

    /// <summary>
    /// The maximum time that a node takes to move its sessions to other nodes before it stops; 0 moves none. Default
    /// what Cluster:GraceSeconds leaves, or 1 min if that is 0.
    /// </summary>
    public TimeSpan? DrainTimeout { get; set; }

    /// <summary>The folder of the files with KV caches.</summary>
    internal string SnapshotFolder => KvDirectory.Length > 0 ? Path.Combine(KvDirectory, "snapshots") : "";
}

internal sealed class NodeOptionsValidator : IValidateOptions<NodeOptions>
{
    public ValidateOptionsResult Validate(string? name, NodeOptions options)
    {
        var errors = new OptionErrors();
        errors.Require(
            options.Model.Length > 0, "Node:Model is empty. Give an id of the catalog or the path of a GGUF file.");
        foreach (var path in options.AllowPaths.Where(path => !Path.IsPathFullyQualified(path)))
        {
            errors.Require(false, $"Node:AllowPaths has '{path}', which is not a full path. Begin it with '/'.");
        }

        errors.RequireBetween("Node:Slots", options.Slots, 1, 256);
        errors.RequireAtLeast("Node:ContextTokens", options.ContextTokens, 0);
        errors.RequireAtLeast("Node:Threads", options.Threads, 0);
        errors.RequireBetween("Node:BatchTokens", options.BatchTokens, 1, 4096);
        errors.Require(
            options.BatchTokens >= options.Slots,
            $"Node:BatchTokens {options.BatchTokens} is less than Node:Slots {options.Slots}. "
            + "Each slot needs a token in a step.");
        errors.Require(
            options.TensorSplit.Count <= 16
                && options.TensorSplit.All(share => share >= 0 && float.IsFinite(share))
                && (options.TensorSplit.Count == 0 || options.TensorSplit.Sum() > 0),
            $"Node:TensorSplit {string.Join(',', options.TensorSplit)} is not a list of up to 16 shares "
            + "of 0 or more with a sum above 0.");
        errors.RequireAtLeast("Node:MaxQueued", options.MaxQueued, 0);
        errors.RequireAtLeast("Node:KvHostBytes", options.KvHostBytes, 0);
        errors.RequireAtLeast("Node:KvDiskBytes", options.KvDiskBytes, 0);
        errors.RequireAbove("Node:MaxStepSlowdown", options.MaxStepSlowdown, 1);
        errors.RequireAtLeast("Node:StreamInterval", options.StreamInterval, TimeSpan.Zero);
        errors.RequireAbove("Node:StepDeadline", options.StepDeadline, TimeSpan.Zero);
        errors.RequireAtLeast("Node:DrainTimeout", options.DrainTimeout ?? TimeSpan.Zero, TimeSpan.Zero);
        errors.RequireAbove("Node:Heartbeat", options.Heartbeat, TimeSpan.Zero);
        return errors.ToResult();
    }
}
