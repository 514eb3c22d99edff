using Herd.Contracts.Nodes;
using Herd.Grains.Routing.Policies;
using Herd.Inference.Generation;

namespace Herd.Grains.Routing;

/// <summary>
/// The expected load and rates of a node for the next turn of a model, from its latest report. Times are in seconds.
/// </summary>
internal sealed record NodeEstimate
{
    /// <summary>The first tokens of an answer, whose delay is counted as decode contention.</summary>
    private const int ContentionTokens = 16;

    /// <summary>Tokens after which another answer may preempt a slot (docs/decisions/quantum.md).</summary>
    public const int QuantumTokens = 16;

    /// <summary>Bytes of KV cache a token, until a node has measured them.</summary>
    private const double UnknownBytesPerToken = 32_768;

    public required string Node { get; init; }

    /// <summary>The hash of the name. It is the same in every process.</summary>
    public ulong Hash { get; init; }

    /// <summary>True if the node takes turns.</summary>
    public required bool TakesWork { get; init; }

    /// <summary>True if KV caches can be pulled from it.</summary>
    public required bool IsReachable { get; init; }

    /// <summary>The time of the report, in seconds of the gateway's clock.</summary>
    public required double ReportedAt { get; init; }

    /// <summary>Sequences that it computes or that wait on it.</summary>
    public int Load { get; init; }

    public int Sessions { get; init; }

    public int Slots { get; init; }

    /// <summary>The wait for earlier prompts and for a slot.</summary>
    public double Queue { get; init; }

    /// <summary>The delay of the first tokens of an answer by the decoding of other sequences.</summary>
    public double DecodeContention { get; init; }

    /// <summary>The time to compute a token of a prompt.</summary>
    public double PerToken { get; init; }

    /// <summary>
    /// The time to compute a prompt of at most <see cref="EngineLoad.ShortPromptTokens"/>; infinite if it is unknown.
    /// </summary>
    public double PerShortPrompt { get; init; } = double.PositiveInfinity;

    /// <summary>The part of the time of a pull that does not depend on the size.</summary>
    public double PullWait { get; init; }

    /// <summary>The time to pull a byte of KV cache from another node to the device.</summary>
    public double PerPulledByte { get; init; }

    public double PerHostByte { get; init; }

    public double PerDiskByte { get; init; }

    public double BytesPerToken { get; init; }

    /// <summary>
    /// Sessions that are idle for less than this are on the device. <see cref="HostIdle"/> and <see cref="DiskIdle"/>
    /// are the same for their tiers.
    /// </summary>
    public double DeviceIdle { get; init; }

    public double HostIdle { get; init; }

    public double DiskIdle { get; init; }

    /// <summary>
    /// The idle time of the last session that lost its KV cache within the last minute; infinite if none did.
    /// </summary>
    public double ForgottenIdle { get; init; } = double.PositiveInfinity;

    public IReadOnlyList<ulong> Prefixes { get; init; } = [];

    /// <summary>What it has to compute; null for a node of an older version.</summary>
    public NodeBacklog? Backlog { get; init; }

    /// <param name="report">The report.</param>
    /// <param name="model">The model's part of the report.</param>
    /// <param name="sent">
    /// Turns that were sent to the node and have not ended. The report may not show them yet.
    /// </param>
    /// <param name="at">The time of its arrival.</param>
    /// <param name="ended">Turns that ended after the report, which still counts them.</param>
    /// <param name="prompts">
    /// Predicted seconds of prompts that were sent recently. The report may not show them yet.
    /// </param>
    /// <param name="unreported">The prompts that were sent after the load was measured.</param>
    public static NodeEstimate From(
        NodeReport report,
        ServedModel model,
        int sent,
        double at,
        int ended = 0,
        double prompts = 0,
        IReadOnlyList<SentPrompt>? unreported = null)
    {
        var figures = model.Figures ?? new EngineFigures();
        var load = Math.Max(model.Active + model.Queued - ended, sent);
        var prefill = Positive(figures.PrefillRate, 500);
        prefill = load > 0 ? Positive(figures.PromptRate, prefill) : prefill;
        var decode = Positive(figures.DecodeRate, 100);
        var restore = Positive(figures.RestoreRate, 1e9);
        var excess = Math.Max(0, load - model.Slots + 1);
        prompts = Math.Max(
            prompts, figures.PrefillSeconds > 0 ? figures.PrefillSeconds : figures.PrefillTokens / prefill);
        var slots = excess * QuantumTokens / decode;
        return new NodeEstimate
        {
            Node = report.Node,
            Hash = StickyHash.Hash(report.Node),
            TakesWork = report.State == NodeState.Ready,
            IsReachable = report.State is NodeState.Ready or NodeState.Draining,
            ReportedAt = at,
            Load = load,
            Slots = model.Slots,
            Sessions = model.Sessions + figures.OffloadedSessions,
            Queue = prompts + slots,
            DecodeContention = Math.Min(load, model.Slots) * ContentionTokens / decode,
            PerToken = 1 / prefill,
            PerShortPrompt = Positive(figures.ShortPromptSeconds, double.PositiveInfinity),
            PullWait = Positive(figures.PullWait, 0.02),
            PerPulledByte = (1 / Positive(figures.PullRate, 2e8)) + (1 / restore),
            PerHostByte = 1 / restore,
            PerDiskByte = (1 / Positive(figures.DiskRate, 3e8)) + (1 / restore),
            BytesPerToken = Positive(figures.BytesPerToken, UnknownBytesPerToken),
            DeviceIdle = figures.DeviceIdle,
            HostIdle = figures.HostIdle,
            DiskIdle = figures.DiskIdle,
            ForgottenIdle = figures.ForgottenIdle is > 0 and var forgotten ? forgotten : double.PositiveInfinity,
            Prefixes = figures.Prefixes,
            Backlog = figures.Queues is null ? null : new NodeBacklog(model, unreported ?? [], load, at - figures.Age),
        };
    }

    private static double Positive(double measured, double assumed) => measured > 0 ? measured : assumed;
}
