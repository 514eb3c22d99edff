using Herd.Contracts.Nodes;
using Herd.Grains.Routing.Policies;
using Herd.Inference.Generation;

namespace Herd.Grains.Routing;

/// <summary>What a node is expected to be like for the next turn of a model, from its latest report. Times are in seconds.</summary>
internal sealed record NodeEstimate
{
    /// <summary>An answer's tokens that may come late before anybody minds: what crowding is measured on.</summary>
    private const int CrowdedTokens = 16;

    /// <summary>Tokens after which a slot changes hands where several wait (docs/decisions/quantum.md).</summary>
    private const int StintTokens = 16;

    /// <summary>Bytes of KV cache of a token, until a node has measured it.</summary>
    private const double UnknownBytesPerToken = 32_768;

    public required string Node { get; init; }

    /// <summary>The name's, which is the same in every process.</summary>
    public ulong Hash { get; init; }

    /// <summary>Whether it takes turns.</summary>
    public required bool TakesWork { get; init; }

    /// <summary>Whether KV caches can be had from it.</summary>
    public required bool IsReachable { get; init; }

    /// <summary>When it reported, in seconds of the gateway's clock.</summary>
    public required double ReportedAt { get; init; }

    /// <summary>Sequences that it computes or that wait there.</summary>
    public int Load { get; init; }

    public int Sessions { get; init; }

    public int Slots { get; init; }

    /// <summary>Until what was asked for before is computed.</summary>
    public double Queue { get; init; }

    /// <summary>What the first tokens of an answer wait for those of others.</summary>
    public double DecodeContention { get; init; }

    /// <summary>To compute a token of a prompt.</summary>
    public double PerToken { get; init; }

    /// <summary>To compute a prompt of at most <see cref="EngineLoad.ShortPromptTokens"/>, however few of a longer one fit into a step; infinite when it is not known.</summary>
    public double PerShortPrompt { get; init; } = double.PositiveInfinity;

    /// <summary>What bringing a KV cache from another node takes, whatever its size.</summary>
    public double PullWait { get; init; }

    /// <summary>To have a byte of KV cache from another node on the device.</summary>
    public double PerPulledByte { get; init; }

    public double PerHostByte { get; init; }

    public double PerDiskByte { get; init; }

    public double BytesPerToken { get; init; }

    /// <summary>Sessions idle for less than this are on the device still; <see cref="HostIdle"/> and <see cref="DiskIdle"/> alike.</summary>
    public double DeviceIdle { get; init; }

    public double HostIdle { get; init; }

    public double DiskIdle { get; init; }

    /// <summary>How long the session had been idle that was forgotten last, within the last minute; infinite when none was.</summary>
    public double ForgottenIdle { get; init; } = double.PositiveInfinity;

    public IReadOnlyList<ulong> Prefixes { get; init; } = [];

    /// <param name="report">The report.</param>
    /// <param name="model">What it says of the model.</param>
    /// <param name="sent">Turns that were sent to it and are not over; the report need not show them yet.</param>
    /// <param name="at">When it came.</param>
    /// <param name="ended">Turns of it that ended since; the report still shows them.</param>
    /// <param name="prompts">Seconds that the prompts take which were sent lately; the report need not show them yet.</param>
    public static NodeEstimate From(NodeReport report, ServedModel model, int sent, double at, int ended = 0, double prompts = 0)
    {
        var figures = model.Figures ?? new EngineFigures();
        var load = Math.Max(model.Active + model.Queued - ended, sent);
        var prefill = Positive(figures.PrefillRate, 500);
        prefill = load > 0 ? Positive(figures.PromptRate, prefill) : prefill;
        var decode = Positive(figures.DecodeRate, 100);
        var restore = Positive(figures.RestoreRate, 1e9);
        var excess = Math.Max(0, load - model.Slots + 1);
        prompts = Math.Max(prompts, figures.PrefillSeconds > 0 ? figures.PrefillSeconds : figures.PrefillTokens / prefill);
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
            Queue = prompts + (excess * StintTokens / decode),
            DecodeContention = Math.Min(load, model.Slots) * CrowdedTokens / decode,
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
        };
    }

    private static double Positive(double measured, double assumed) => measured > 0 ? measured : assumed;
}
